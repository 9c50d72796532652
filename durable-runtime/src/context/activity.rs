//! The context of an activity.

use std::fmt;
use std::sync::{Arc, Mutex, PoisonError};
use std::time::{Instant, SystemTime};

use serde::Serialize;
use tokio::sync::{Notify, watch};

use crate::activity::States;
use crate::client::Client;
use crate::ids::{CommandId, ExecutionId, InstanceId};
use crate::observe::TraceContext;
use crate::payload::{CodecError, Payload, PayloadValue};

/// What an attempt of an activity knows about itself. Cheap to clone; may be sent anywhere.
#[derive(Clone)]
pub struct ActivityContext {
    facts: Arc<ActivityFacts>,
}

/// What is behind a context.
pub(crate) struct ActivityFacts {
    pub(crate) instance: InstanceId,
    pub(crate) execution_id: ExecutionId,
    pub(crate) command: CommandId,
    pub(crate) attempt: u32,
    pub(crate) deadline: Option<SystemTime>,
    pub(crate) last_heartbeat: Option<Payload>,
    pub(crate) heartbeat: Mutex<HeartbeatState>,
    /// Told with each heartbeat.
    pub(crate) beat: Notify,
    pub(crate) payload_bytes_max: usize,
    pub(crate) cancelled: watch::Receiver<bool>,
    pub(crate) states: Arc<States>,
    pub(crate) client: Client,
    pub(crate) trace: Option<TraceContext>,
}

/// What a body said last.
pub(crate) struct HeartbeatState {
    pub(crate) at: Instant,
    pub(crate) progress: Option<Payload>,
}

impl ActivityContext {
    pub(crate) fn new(facts: ActivityFacts) -> Self {
        Self { facts: Arc::new(facts) }
    }

    pub(crate) fn states(&self) -> &States {
        &self.facts.states
    }

    /// What the body said last, and when.
    pub(crate) fn heard(&self) -> (Instant, Option<Payload>) {
        let heartbeat = self.facts.heartbeat.lock().unwrap_or_else(PoisonError::into_inner);
        (heartbeat.at, heartbeat.progress.clone())
    }

    /// Waits until the body has said something since the last call; answers the newest.
    pub(crate) async fn next_heartbeat(&self) -> Payload {
        loop {
            self.facts.beat.notified().await;
            if let (_, Some(progress)) = self.heard() {
                return progress;
            }
        }
    }

    /// The instance that called.
    pub fn instance_id(&self) -> &InstanceId {
        &self.facts.instance
    }

    /// Which attempt this is, counted from 1.
    pub fn attempt(&self) -> u32 {
        self.facts.attempt
    }

    /// The same text in every attempt of this call, and in no other call: `{instance}/{execution}/{command}`. Give it
    /// to the service you call, so that a repeated attempt has no second effect.
    pub fn idempotency_key(&self) -> String {
        format!("{}/{}/{}", self.facts.instance, self.facts.execution_id, self.facts.command)
    }

    /// When this attempt is given up, if it has a timeout.
    pub fn deadline(&self) -> Option<SystemTime> {
        self.facts.deadline
    }

    /// Says that the body is alive and how far it is; the next attempt finds the value in
    /// [`ActivityContext::last_heartbeat`].
    ///
    /// If the attempt fails, the next one finds the very last value. If the process dies, it finds one that is at most
    /// some seconds old: the first value is written at once, and then the newest one every 5 seconds. Calling it often
    /// costs nothing.
    ///
    /// ```standalone_crate
    /// use durable_runtime::prelude::*;
    ///
    /// #[activity(heartbeat = "30s", retry(max_attempts = 3, initial = "1ms"))]
    /// async fn import(ctx: ActivityContext, rows: u32) -> Result<u32, String> {
    ///     let first = ctx.last_heartbeat().map_err(|error| error.to_string())?.unwrap_or(0);
    ///     for row in first..rows {
    ///         ctx.heartbeat(&row).map_err(|error| error.to_string())?;
    ///         if row == 7 && ctx.attempt() == 1 {
    ///             return Err("the connection was lost".to_owned());
    ///         }
    ///     }
    ///     Ok(rows - first) // as many as this attempt had to do
    /// }
    ///
    /// #[orchestration]
    /// async fn imports(ctx: OrchestrationContext) -> Result<u32, ActivityError<String>> {
    ///     import(&ctx, 10).await
    /// }
    ///
    /// # #[tokio::main(flavor = "current_thread")]
    /// # async fn main() -> Result<(), Box<dyn std::error::Error>> {
    /// let runtime = Runtime::builder(MemoryProvider::new()).start().await?;
    /// assert_eq!(imports(&runtime.client()).start().await?.result().await?, 3);
    /// runtime.shutdown(Duration::from_secs(5)).await;
    /// # Ok(())
    /// # }
    /// ```
    ///
    /// # Errors
    /// [`CodecError`] if the value cannot be encoded, or is longer than a payload may be.
    pub fn heartbeat<T: Serialize + ?Sized>(&self, progress: &T) -> Result<(), CodecError> {
        let progress = Payload::encode(progress)?;
        let (bytes, most) = (progress.len(), self.facts.payload_bytes_max);
        if bytes > most {
            return Err(CodecError::new(format!("the heartbeat has {bytes} bytes; at most {most} are kept")));
        }
        let mut heartbeat = self.facts.heartbeat.lock().unwrap_or_else(PoisonError::into_inner);
        *heartbeat = HeartbeatState { at: Instant::now(), progress: Some(progress) };
        drop(heartbeat);
        self.facts.beat.notify_one();
        Ok(())
    }

    /// What the attempt before this one said last; `None` in the first attempt, or if it said nothing.
    ///
    /// # Errors
    /// [`CodecError`] if it is of another type.
    pub fn last_heartbeat<T: PayloadValue>(&self) -> Result<Option<T>, CodecError> {
        self.facts.last_heartbeat.as_ref().map(Payload::decode).transpose()
    }

    /// Whether nobody waits for the result any more.
    pub fn is_cancelled(&self) -> bool {
        *self.facts.cancelled.borrow()
    }

    /// Waits until nobody waits for the result any more.
    pub async fn cancelled(&self) {
        let mut cancelled = self.facts.cancelled.clone();
        if cancelled.wait_for(|cancelled| *cancelled).await.is_err() {
            // The engine lets go of it when the attempt is over; then there is nothing to wait for.
            std::future::pending::<()>().await;
        }
    }

    /// The trace that the start of the instance belonged to: for the headers of a request, or for the parent of a span.
    pub fn trace(&self) -> Option<&TraceContext> {
        self.facts.trace.as_ref()
    }

    /// A client of the runtime that runs this. What it starts belongs to the same trace.
    pub fn client(&self) -> &Client {
        &self.facts.client
    }
}

impl fmt::Debug for ActivityContext {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("ActivityContext")
            .field("idempotency_key", &self.idempotency_key())
            .field("attempt", &self.attempt())
            .finish_non_exhaustive()
    }
}
