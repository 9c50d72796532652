//! Starting instances.

use std::marker::PhantomData;
use std::time::{Duration, SystemTime};

use bytes::Bytes;
use serde::Serialize;
use uuid::Uuid;

use super::{Client, Handle, StartError};
use crate::clock::Timestamp;
use crate::context::LATEST;
use crate::dispatch::{Accepted, Door, Refusal};
use crate::ids::{ExecutionId, IdError, InstanceId, check_id};
use crate::message::{IfExists, Message, Start, fresh_message_id, start_message_id};
use crate::metadata::{self, Identity, Labels, Status};
use crate::observe::TraceContext;
use crate::orchestration::Orchestration;
use crate::payload::{CodecError, Payload};
use crate::providers::{CommitError, CommitId, OwnerId, Transaction, TransactionOp, TurnRequest};

/// What the start of an instance is to be like.
pub(super) struct Request {
    client: Client,
    name: String,
    version: String,
    input: Result<Payload, CodecError>,
    pub(super) id: Option<Result<InstanceId, IdError>>,
    pub(super) if_exists: IfExists,
    pub(super) labels: Vec<(String, String)>,
    delay: Duration,
    trace: Option<TraceContext>,
}

/// The start of an instance, prepared by calling an orchestration with `&client`.
#[must_use = "nothing is started until `.start()`"]
pub struct StartRequest<O: Orchestration> {
    request: Request,
    orchestration: PhantomData<fn() -> O>,
}

/// The start of an instance of an orchestration that is known by name only; see [`Client::start_named`].
#[must_use = "nothing is started until `.start()`"]
pub struct StartNamed {
    request: Request,
}

macro_rules! settings {
    () => {
        /// Names the instance. Without it the id is made: a guid.
        pub fn id(mut self, id: impl AsRef<str>) -> Self {
            self.request.id = Some(InstanceId::new(id));
            self
        }

        /// Another version than the usual one.
        pub fn version(mut self, version: impl Into<String>) -> Self {
            self.request.version = version.into();
            self
        }

        /// Something to find the instance by.
        pub fn label(mut self, name: impl Into<String>, value: impl Into<String>) -> Self {
            self.request.labels.push((name.into(), value.into()));
            self
        }

        /// Begins so much later, by the clock of the store. The instance is there at once, and `Pending` until then.
        pub fn delay(mut self, delay: Duration) -> Self {
            self.request.delay = delay;
            self
        }

        /// The trace it belongs to, with its activities and children. Without it, what
        /// [`RuntimeBuilder::trace_source`](crate::RuntimeBuilder::trace_source) finds.
        pub fn trace(mut self, trace: TraceContext) -> Self {
            self.request.trace = Some(trace);
            self
        }

        /// What to do if the id is taken: [`IfExists::Fail`] unless you say otherwise.
        pub fn if_exists(mut self, if_exists: IfExists) -> Self {
            self.request.if_exists = if_exists;
            self
        }
    };
}

impl<O: Orchestration> StartRequest<O> {
    pub(crate) fn new(client: Client, input: Result<Payload, CodecError>) -> Self {
        Self { request: Request::new(client, O::NAME, O::VERSION, input), orchestration: PhantomData }
    }

    settings!();

    /// Starts it. When this returns, the start is kept, whatever happens to the process.
    ///
    /// # Errors
    /// [`StartError`]; nothing was started then, and an instance that has the id is as it was.
    pub async fn start(self) -> Result<Handle<O>, StartError> {
        let client = self.request.client.clone();
        Ok(Handle::new(client, self.request.start().await?))
    }
}

impl StartNamed {
    settings!();

    /// Starts it, and answers with its id.
    ///
    /// # Errors
    /// As [`StartRequest::start`].
    pub async fn start(self) -> Result<InstanceId, StartError> {
        self.request.start().await
    }
}

impl Client {
    /// Prepares the start of an orchestration by name, with an object of its arguments: for tools that do not have
    /// the function. It gets the newest version that the runtime has unless you say otherwise.
    pub fn start_named<T: Serialize + ?Sized>(&self, name: impl Into<String>, arguments: &T) -> StartNamed {
        StartNamed { request: Request::new(self.clone(), name, LATEST, Payload::encode(arguments)) }
    }
}

impl Request {
    pub(super) fn new(
        client: Client,
        name: impl Into<String>,
        version: &str,
        input: Result<Payload, CodecError>,
    ) -> Self {
        Self {
            client,
            name: name.into(),
            version: version.to_owned(),
            input,
            id: None,
            if_exists: IfExists::Fail,
            labels: Vec::new(),
            delay: Duration::ZERO,
            trace: None,
        }
    }

    pub(super) async fn start(self) -> Result<InstanceId, StartError> {
        let instance = match self.id {
            Some(id) => id?,
            None => InstanceId::new(Uuid::new_v4().to_string())?,
        };
        check_id("orchestration name", &self.name)?;
        check_id("version", &self.version)?;
        for (name, value) in &self.labels {
            check_id("label", name)?;
            if name.starts_with(metadata::SYSTEM_LABELS) {
                return Err(StartError::ReservedLabel(name.clone()));
            }
            check_id("value of a label", value)?;
        }
        let most = self.client.limits().labels_max;
        if self.labels.len() > most {
            return Err(StartError::TooManyLabels { count: self.labels.len(), most });
        }
        let input = self.input?;
        let most = self.client.limits().payload_bytes_max;
        if input.len() > most {
            return Err(StartError::TooLong { bytes: input.len(), most });
        }
        let Self { client, name, version, if_exists, labels, delay, trace, .. } =
            Self { id: None, input: Ok(Payload::null()), ..self };
        let trace = trace.or_else(|| client.trace());
        let start = Start {
            name,
            version,
            input,
            parent: None,
            if_exists,
            labels,
            carried: Vec::new(),
            event_keys: Vec::new(),
            trace,
        };
        client.check_known(&start)?;
        match client.door() {
            Some(door) if delay.is_zero() => client.start_through_door(door, &instance, start).await?,
            _ => client.start_through_store(&instance, start, delay).await?,
        }
        Ok(instance)
    }
}

impl Client {
    /// Whether the runtime has the orchestration; a client of a store alone cannot tell.
    fn check_known(&self, start: &Start) -> Result<(), StartError> {
        let Some(door) = self.door() else { return Ok(()) };
        if let Some(handler) = door.registry.orchestration(&start.name, &start.version) {
            return Ok((handler.check)(&start.input)?);
        }
        let known = door.registry.known(&start.name);
        Err(StartError::Unknown { name: start.name.clone(), version: start.version.clone(), known })
    }

    async fn start_through_door(&self, door: &Door, instance: &InstanceId, start: Start) -> Result<(), StartError> {
        match door.deliver(instance, Message::Start(start)).await {
            Ok(Accepted::Kept | Accepted::Existing) => Ok(()),
            Err(Refusal::ShuttingDown) => Err(StartError::ShuttingDown),
            Err(_) => Err(StartError::AlreadyExists(instance.clone())),
        }
    }

    /// Keeps the start for whoever runs this store.
    async fn start_through_store(
        &self,
        instance: &InstanceId,
        start: Start,
        delay: Duration,
    ) -> Result<(), StartError> {
        let identity = Identity {
            name: start.name.clone(),
            version: start.version.clone(),
            parent: None,
            started_at: if delay.is_zero() { Timestamp::from(SystemTime::now()) } else { self.now(instance).await? },
            trace: start.trace.clone(),
            deadline: None,
        };
        let if_exists = start.if_exists;
        let mut labels: Labels = start.labels.iter().map(|(name, value)| (name.clone(), Some(value.clone()))).collect();
        labels.extend(metadata::labels_begun(&identity, Status::Pending));
        let begins_at = (!delay.is_zero()).then(|| identity.started_at.saturating_add(delay));
        let message = Message::Start(start);
        let own = message.enqueue_at(instance, start_message_id(ExecutionId::FIRST), begins_at)?;
        let entries: Vec<(String, Option<Bytes>)> = metadata::begun(&identity, Status::Pending);
        let (id, execution_id) = (instance.clone(), ExecutionId::FIRST);
        let new = vec![
            TransactionOp::CreateExecution { instance: id.clone(), execution_id },
            TransactionOp::PutMetadata { instance: id.clone(), entries },
            TransactionOp::PutLabels { instance: id, labels },
            own,
        ];
        match self.keep(new).await {
            Err(CommitError::ExecutionExists { .. }) => match if_exists {
                IfExists::Fail => Err(StartError::AlreadyExists(instance.clone())),
                IfExists::UseExisting => Ok(()),
                IfExists::RestartIfClosed if !self.is_closed(instance).await? => {
                    Err(StartError::AlreadyExists(instance.clone()))
                }
                IfExists::RestartIfClosed | IfExists::TerminateAndRestart => {
                    let again = message.enqueue_at(instance, fresh_message_id(), begins_at)?;
                    Ok(self.keep(vec![again]).await?)
                }
            },
            result => Ok(result?),
        }
    }

    /// The time of the store, as a lease on this instance tells it: what is delayed is delayed by that clock. If somebody has
    /// the instance just now, the time of this machine must do.
    async fn now(&self, instance: &InstanceId) -> Result<Timestamp, StartError> {
        let want = TurnRequest {
            owner: OwnerId::new(Uuid::new_v4().to_string()),
            max: 1,
            ttl: Duration::from_secs(1),
            wait: Duration::ZERO,
            instance: Some(instance.clone()),
            skills: None,
        };
        let Some(turn) = self.provider().fetch_turns(want).await?.pop() else {
            return Ok(Timestamp::from(SystemTime::now()));
        };
        let now = Timestamp::from_millis(turn.lock_token.granted_at_ms);
        let (commit_id, ops) = (
            CommitId(Uuid::new_v4().as_u128()),
            vec![TransactionOp::ReleaseLock { delay: None, give_back_attempt: true }],
        );
        // A lease that is not given back ends by itself, and a busy store may have ended it already.
        let _ = self.provider().atomic_batch(Transaction { fence: Some(turn.lock_token), commit_id, ops }).await;
        Ok(now)
    }

    async fn is_closed(&self, instance: &InstanceId) -> Result<bool, StartError> {
        let record = self.provider().instance(instance).await?;
        Ok(record.and_then(metadata::read).is_some_and(|status| status.status.is_closed()))
    }

    /// Keeps a transaction of its own.
    pub(crate) async fn keep(&self, ops: Vec<TransactionOp>) -> Result<(), CommitError> {
        let commit_id = CommitId(Uuid::new_v4().as_u128());
        self.provider().atomic_batch(Transaction { fence: None, commit_id, ops }).await.map(drop)
    }
}

#[cfg(all(test, feature = "sqlite"))]
mod tests {
    use std::sync::atomic::{AtomicU64, Ordering};

    use super::*;
    use crate::clock::Clock;
    use crate::providers::SqliteProvider;

    /// Time that runs so fast that every lease of a second is over before the next call.
    struct Racing(AtomicU64);

    impl Clock for Racing {
        fn now(&self) -> Timestamp {
            Timestamp::from_millis(self.0.fetch_add(1_000, Ordering::SeqCst))
        }
    }

    #[tokio::test]
    async fn a_delayed_start_does_not_fail_because_a_busy_store_has_ended_its_lease() {
        let folder = tempfile::tempdir().unwrap();
        let store = SqliteProvider::options().clock(Racing(AtomicU64::new(1_000))).open(folder.path().join("store"));
        let client = Client::new(store.unwrap());
        let start = client.start_named("nap", &()).id("nap").delay(Duration::from_secs(1_000_000));
        start.start().await.unwrap();
        assert_eq!(client.status("nap").await.unwrap().status, Status::Pending);
    }
}
