//! A handle: one instance, with the types of its orchestration.

use std::fmt;
use std::marker::PhantomData;
use std::time::Duration;

use super::{Client, MessageError, ReadError, ResultError};
use crate::history::{self, Event as HistoryEvent};
use crate::ids::{EventId, ExecutionId, IdError, InstanceId};
use crate::metadata::{self, InstanceStatus};
use crate::orchestration::Orchestration;

/// How long one wait in the store takes at most; then it is asked anew.
pub(super) const WAIT: Duration = Duration::from_secs(30);
/// How many events are read at once.
const PAGE: usize = 2_048;

/// One instance of the orchestration `O`. Cheap to clone; dropping it does nothing to the instance.
pub struct Handle<O: Orchestration> {
    client: Client,
    instance: InstanceId,
    orchestration: PhantomData<fn() -> O>,
}

impl<O: Orchestration> Handle<O> {
    pub(super) fn new(client: Client, instance: InstanceId) -> Self {
        Self { client, instance, orchestration: PhantomData }
    }

    pub(crate) fn client(&self) -> &Client {
        &self.client
    }

    /// The id of the instance.
    pub fn id(&self) -> &InstanceId {
        &self.instance
    }

    /// Waits for the end, and gives what the orchestration returned. The store says when; nothing is polled.
    ///
    /// # Errors
    /// [`ResultError`]: the error it returned, or how else it ended.
    pub async fn result(&self) -> Result<O::Output, ResultError<O::Error>> {
        let status = self.client.wait_until_closed(&self.instance).await?;
        match (status.output, status.failure) {
            (Some(output), _) => output.decode().map_err(|error| ResultError::Codec {
                message: format!("the output of orchestration `{}` does not decode: {error}", O::NAME),
            }),
            (None, Some(failure)) => Err(ResultError::from_failure(failure)),
            (None, None) => Err(ReadError::Unreadable(self.instance.clone()).into()),
        }
    }

    /// As [`Handle::result`], but not for longer than this.
    ///
    /// # Errors
    /// [`ResultError::TimedOut`] if it has not ended by then; it goes on. Else as [`Handle::result`].
    pub async fn wait_for(&self, timeout: Duration) -> Result<O::Output, ResultError<O::Error>> {
        tokio::time::timeout(timeout, self.result()).await.unwrap_or(Err(ResultError::TimedOut))
    }

    /// What is known of it now.
    ///
    /// # Errors
    /// [`ReadError::NotFound`] if it does not exist.
    pub async fn status(&self) -> Result<InstanceStatus, ReadError> {
        self.client.status(self.instance.as_str()).await
    }

    /// Asks it to end; see [`Client::cancel`].
    ///
    /// # Errors
    /// [`MessageError`] if it does not exist or has ended.
    pub async fn cancel(&self, reason: impl Into<String>) -> Result<(), MessageError> {
        self.client.cancel(&self.instance, reason).await
    }

    /// Ends it at once; see [`Client::terminate`].
    ///
    /// # Errors
    /// [`MessageError`] if it does not exist or has ended.
    pub async fn terminate(&self, reason: impl Into<String>) -> Result<(), MessageError> {
        self.client.terminate(&self.instance, reason).await
    }

    /// The events of its newest execution.
    ///
    /// # Errors
    /// [`ReadError`] if it does not exist, or an event cannot be read.
    pub async fn history(&self) -> Result<Vec<HistoryEvent>, ReadError> {
        let status = self.status().await?;
        self.client.history(self.instance.as_str(), status.execution_id).await
    }
}

impl Client {
    /// What is known of an instance now.
    ///
    /// # Errors
    /// [`ReadError::NotFound`] if it does not exist.
    pub async fn status(&self, id: impl AsRef<str>) -> Result<InstanceStatus, ReadError> {
        let instance = InstanceId::new(id)?;
        let Some(record) = self.provider().instance(&instance).await? else {
            return self.status_before_first_turn(&instance).await;
        };
        let needs = record.labels.get(metadata::NEEDS_LABEL).cloned();
        let mut status = metadata::read(record).ok_or_else(|| ReadError::Unreadable(instance.clone()))?;
        let here = self.door().and_then(|door| {
            let open = !status.status.is_closed();
            let lacks = || door.registry.lacks_for(&status.name, &status.version, needs.as_deref()).filter(|_| open);
            door.suspended.report(&instance).or_else(lacks)
        });
        status.suspended = here.or(status.suspended);
        status.activities = self.door().map(|door| door.under_way.of(&instance)).unwrap_or_default();
        Ok(status)
    }

    /// Why an instance does not go on in this process, if it does not. Asks nothing of the store, and so answers even
    /// while a turn of the instance is under way.
    ///
    /// # Errors
    /// [`IdError`] if the text cannot be an id.
    pub fn suspended(&self, id: impl AsRef<str>) -> Result<Option<String>, IdError> {
        let instance = InstanceId::new(id)?;
        Ok(self.door().and_then(|door| door.suspended.report(&instance)))
    }

    /// The events of one execution of an instance.
    ///
    /// # Errors
    /// [`ReadError`] if an event cannot be read. An execution that does not exist has no events.
    pub async fn history(
        &self,
        id: impl AsRef<str>,
        execution_id: ExecutionId,
    ) -> Result<Vec<HistoryEvent>, ReadError> {
        let instance = InstanceId::new(id)?;
        let mut events = Vec::new();
        loop {
            let from = EventId(events.len() as u64 + 1);
            let page = self.provider().history(&instance, execution_id, from, PAGE).await?;
            if page.is_empty() {
                return Ok(events);
            }
            for stored in &page {
                events.push(history::read(stored)?);
            }
        }
    }

    async fn wait_until_closed(&self, instance: &InstanceId) -> Result<InstanceStatus, ReadError> {
        let mut record = self.provider().instance(instance).await?;
        loop {
            let found = match record {
                Some(found) => Some(found),
                None => self.record_after_first_turn(instance).await?,
            };
            let found = found.ok_or_else(|| ReadError::NotFound(instance.clone()))?;
            let seen = found.revision;
            let status = metadata::read(found).ok_or_else(|| ReadError::Unreadable(instance.clone()))?;
            if status.status.is_closed() {
                return Ok(status);
            }
            record = self.provider().wait_for_change(instance, seen, WAIT).await?;
        }
    }
}

impl<O: Orchestration> Clone for Handle<O> {
    fn clone(&self) -> Self {
        Self::new(self.client.clone(), self.instance.clone())
    }
}

impl<O: Orchestration> fmt::Debug for Handle<O> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "Handle<{}>({:?})", O::NAME, self.instance)
    }
}
