//! What is done to an instance as a whole: suspending, resuming, restarting.

use std::future::IntoFuture;
use std::marker::PhantomData;
use std::pin::Pin;

use serde::Serialize;

use super::start::Request;
use super::{Client, Handle, MessageError, ReadError, StartError};
use crate::history::{self, EventKind};
use crate::ids::{EventId, InstanceId};
use crate::message::{IfExists, Message};
use crate::metadata;
use crate::orchestration::Orchestration;
use crate::payload::{CodecError, Payload};

impl Client {
    /// Suspends an instance: nothing of it runs from here on, over restarts too, until it is resumed. What comes meanwhile
    /// is kept: events, starts, the ends of its activities, timers. Its activities and children go on. Suspending twice
    /// changes nothing.
    ///
    /// # Errors
    /// [`MessageError`] if it does not exist or has ended.
    ///
    /// ```standalone_crate
    /// use durable_runtime::prelude::*;
    /// use durable_runtime::testing::TestRuntime;
    ///
    /// #[orchestration]
    /// async fn nightly(ctx: OrchestrationContext) -> String {
    ///     ctx.timer(Duration::from_secs(3_600)).await;
    ///     "done".to_owned()
    /// }
    ///
    /// # #[tokio::main(flavor = "current_thread")]
    /// # async fn main() -> Result<(), Box<dyn std::error::Error>> {
    /// let runtime = TestRuntime::start().await?;
    /// let handle = nightly(&runtime.client()).start().await?;
    /// handle.suspend().await?;
    /// runtime.advance(Duration::from_secs(86_400)).await; // its timer is due, and waits
    /// assert_eq!(handle.status().await?.status, Status::Suspended);
    /// handle.resume().await?;
    /// assert_eq!(runtime.finish(&handle).await?, "done");
    /// runtime.shutdown().await;
    /// # Ok(())
    /// # }
    /// ```
    pub async fn suspend(&self, id: impl AsRef<str>) -> Result<(), MessageError> {
        self.tell(&InstanceId::new(id)?, Message::Suspend).await
    }

    /// Lets a suspended instance go on, with all that came meanwhile. By a client without a runtime it may take a minute.
    /// One that is not suspended stays as it is.
    ///
    /// # Errors
    /// [`MessageError`] if it does not exist or has ended.
    pub async fn resume(&self, id: impl AsRef<str>) -> Result<(), MessageError> {
        self.tell(&InstanceId::new(id)?, Message::Resume).await
    }

    /// Runs an instance that has ended once more, with the arguments, version and labels it had; see [`Handle::restart`].
    ///
    /// # Errors
    /// [`StartError::Open`] if it has not ended; terminate it first. [`StartError::Read`] if it does not exist.
    pub async fn restart(&self, id: impl AsRef<str>) -> Result<(), StartError> {
        self.restart_closed(&InstanceId::new(id)?, None, None).await
    }
}

impl<O: Orchestration> Handle<O> {
    /// Suspends it; see [`Client::suspend`].
    ///
    /// # Errors
    /// [`MessageError`] if it does not exist or has ended.
    pub async fn suspend(&self) -> Result<(), MessageError> {
        self.client().suspend(self.id()).await
    }

    /// Lets it go on; see [`Client::resume`].
    ///
    /// # Errors
    /// [`MessageError`] if it does not exist or has ended.
    pub async fn resume(&self) -> Result<(), MessageError> {
        self.client().resume(self.id()).await
    }

    /// Runs it once more, now that it has ended: its next execution, with the same arguments, version and labels unless you
    /// say otherwise. Events that were never taken are gone.
    ///
    /// ```standalone_crate
    /// use durable_runtime::prelude::*;
    /// use durable_runtime::testing::TestRuntime;
    ///
    /// #[orchestration]
    /// async fn greet(ctx: OrchestrationContext, name: String) -> String {
    ///     format!("{name}, time {}", ctx.execution_id())
    /// }
    ///
    /// # #[tokio::main(flavor = "current_thread")]
    /// # async fn main() -> Result<(), Box<dyn std::error::Error>> {
    /// let runtime = TestRuntime::start().await?;
    /// let handle = greet(&runtime.client(), "Ada".to_owned()).start().await?;
    /// assert_eq!(handle.result().await?, "Ada, time 1");
    /// handle.restart().await?;
    /// assert_eq!(handle.result().await?, "Ada, time 2");
    /// // The arguments by their names, as one object.
    /// handle.restart().arguments(&std::collections::BTreeMap::from([("name", "Max")])).await?;
    /// assert_eq!(handle.result().await?, "Max, time 3");
    /// runtime.shutdown().await;
    /// # Ok(())
    /// # }
    /// ```
    pub fn restart(&self) -> Restart<O> {
        Restart { handle: self.clone(), arguments: None, version: None, orchestration: PhantomData }
    }
}

/// A restart; see [`Handle::restart`].
#[must_use = "nothing is restarted until this is awaited"]
pub struct Restart<O: Orchestration> {
    handle: Handle<O>,
    arguments: Option<Result<Payload, CodecError>>,
    version: Option<String>,
    orchestration: PhantomData<fn() -> O>,
}

impl<O: Orchestration> Restart<O> {
    /// Other arguments: one object of them by name.
    pub fn arguments<T: Serialize + ?Sized>(mut self, arguments: &T) -> Self {
        self.arguments = Some(Payload::encode(arguments));
        self
    }

    /// Another version than the one it had.
    pub fn version(mut self, version: impl Into<String>) -> Self {
        self.version = Some(version.into());
        self
    }

    async fn run(self) -> Result<(), StartError> {
        self.handle.client().restart_closed(self.handle.id(), self.arguments, self.version).await
    }
}

impl<O: Orchestration> IntoFuture for Restart<O> {
    type Output = Result<(), StartError>;
    type IntoFuture = Pin<Box<dyn Future<Output = Self::Output> + Send>>;

    /// # Errors
    /// [`StartError::Open`] if it has not ended; terminate it first. Else as [`StartRequest::start`](super::StartRequest::start).
    fn into_future(self) -> Self::IntoFuture {
        Box::pin(self.run())
    }
}

impl Client {
    /// Runs an instance that has ended once more.
    pub(crate) async fn restart_closed(
        &self,
        instance: &InstanceId,
        arguments: Option<Result<Payload, CodecError>>,
        version: Option<String>,
    ) -> Result<(), StartError> {
        let (instance, status) = (instance.clone(), self.status(instance).await?);
        if !status.status.is_closed() {
            return Err(StartError::Open { instance, status: status.status });
        }
        let input = match arguments {
            Some(arguments) => arguments,
            None => Ok(self.first_input(&instance, &status).await?),
        };
        let mut request = Request::new(self.clone(), status.name, &version.unwrap_or(status.version), input);
        request.id = Some(Ok(instance));
        request.if_exists = IfExists::RestartIfClosed;
        request.labels = status.labels.into_iter().collect();
        request.start().await.map(drop)
    }

    /// The arguments of the newest execution.
    async fn first_input(
        &self,
        instance: &InstanceId,
        status: &metadata::InstanceStatus,
    ) -> Result<Payload, ReadError> {
        let first = self.provider().history(instance, status.execution_id, EventId::FIRST, 1).await?;
        match first.first().map(history::read).transpose()?.map(|event| event.kind) {
            Some(EventKind::Started(started)) => Ok(started.input),
            _ => Err(ReadError::Unreadable(instance.clone())),
        }
    }
}
