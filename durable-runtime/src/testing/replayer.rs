//! Recorded histories against the code of today, without a store and without a runtime.

use std::thread;

use serde::{Deserialize, Serialize};

use crate::history::{Event, EventKind, HISTORY_FORMAT, InvalidHistory, validate};
use crate::ids::{ExecutionId, InstanceId};
use crate::limits::Limits;
use crate::orchestration::{Orchestration, OrchestrationHandler};
use crate::registry::{Registry, RegistryError};
use crate::replay::{Execution, Facts, Mismatch};

/// The history of one execution, as it can be kept in a file: JSON.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct RecordedHistory {
    /// The instance; guids and random numbers are drawn from its id.
    pub instance: InstanceId,
    /// The execution.
    pub execution_id: ExecutionId,
    /// All events, in order.
    pub events: Vec<Event>,
}

/// A history that the code of today goes along with.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
#[non_exhaustive]
pub struct Replayed {
    /// How many events were gone through.
    pub events: u64,
    /// Whether the execution has ended; otherwise it waits, and would go on.
    pub has_ended: bool,
}

/// A history that the code of today does not go along with.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum ReplayError {
    /// The code asks for another step: the report that a suspended instance would have.
    #[error(transparent)]
    Mismatch(#[from] Box<Mismatch>),
    /// It cannot have come about.
    #[error("this is no history: {0}")]
    Invalid(#[from] InvalidHistory),
    /// It has no events.
    #[error("the history has no events")]
    Empty,
    /// Nothing of this name and version is registered here.
    #[error("orchestration `{name}` {version} is not registered here; {known}")]
    Unknown {
        /// The orchestration.
        name: String,
        /// Its version.
        version: String,
        /// What there is.
        known: String,
    },
    /// It was written by a newer release of this crate.
    #[error("the history has format {format}, and this build reads up to {HISTORY_FORMAT}; update it")]
    NewerFormat {
        /// Its format.
        format: u32,
    },
}

/// Goes through recorded histories with the code of today: whether a change would suspend instances in flight is known before it
/// is released.
///
/// ```standalone_crate
/// use durable_runtime::prelude::*;
/// use durable_runtime::testing::{RecordedHistory, Replayer, TestRuntime};
///
/// #[orchestration]
/// async fn remind(ctx: OrchestrationContext, hours: u64) -> String {
///     ctx.timer(Duration::from_secs(hours * 3_600)).await;
///     "it is time".to_owned()
/// }
///
/// # #[tokio::main(flavor = "current_thread")]
/// # async fn main() -> Result<(), Box<dyn std::error::Error>> {
/// let runtime = TestRuntime::start().await?;
/// let handle = remind(&runtime.client(), 3).id("remind-1").start().await?;
/// runtime.settled().await;
/// let execution_id = handle.status().await?.execution_id;
/// let recorded = RecordedHistory { instance: handle.id().clone(), execution_id, events: handle.history().await? };
/// runtime.shutdown().await;
///
/// // In a test of a later build, from a file:
/// let recorded: RecordedHistory = serde_json::from_str(&serde_json::to_string(&recorded)?)?;
/// let replayed = Replayer::new()?.check(&recorded)?;
/// assert!(!replayed.has_ended);
/// # Ok(())
/// # }
/// ```
pub struct Replayer {
    registry: Registry,
    limits: Limits,
}

impl Replayer {
    /// With everything annotated in this program.
    ///
    /// # Errors
    /// [`RegistryError`] if two functions have one name and version.
    pub fn new() -> Result<Self, RegistryError> {
        Ok(Self { registry: Registry::automatic()?, limits: Limits::default() })
    }

    /// With nothing; see [`Replayer::register`].
    pub fn empty() -> Self {
        Self { registry: Registry::default(), limits: Limits::default() }
    }

    /// Registers an orchestration by hand.
    ///
    /// # Errors
    /// As [`Replayer::new`].
    pub fn register<O: Orchestration>(mut self) -> Result<Self, RegistryError> {
        self.registry.add::<O>()?;
        Ok(self)
    }

    /// The limits under which the history was recorded, if they are not the usual ones.
    #[must_use]
    pub fn limits(mut self, limits: Limits) -> Self {
        self.limits = limits;
        self
    }

    /// Goes through a history. Nothing is run but orchestrations, and nothing is written.
    ///
    /// # Errors
    /// [`ReplayError`].
    pub fn check(&self, recorded: &RecordedHistory) -> Result<Replayed, ReplayError> {
        let handler = self.handler(&recorded.events)?;
        validate(&recorded.events)?;
        let RecordedHistory { instance, execution_id, events } = recorded;
        let facts = Facts { instance: instance.clone(), execution_id: *execution_id, limits: self.limits };
        // On a thread of its own, outside of any tokio context, as a turn.
        let replayed = thread::scope(|scope| scope.spawn(|| replay(facts, handler, events)).join());
        match replayed {
            Ok(replayed) => Ok(replayed?),
            Err(panic) => std::panic::resume_unwind(panic),
        }
    }

    fn handler(&self, events: &[Event]) -> Result<OrchestrationHandler, ReplayError> {
        let Some(Event { kind: EventKind::Started(started), .. }) = events.first() else {
            validate(events)?;
            return Err(ReplayError::Empty);
        };
        if started.format > HISTORY_FORMAT {
            return Err(ReplayError::NewerFormat { format: started.format });
        }
        self.registry.orchestration(&started.name, &started.version).cloned().ok_or_else(|| ReplayError::Unknown {
            name: started.name.clone(),
            version: started.version.clone(),
            known: self.registry.known(&started.name),
        })
    }
}

fn replay(facts: Facts, handler: OrchestrationHandler, events: &[Event]) -> Result<Replayed, Box<Mismatch>> {
    let mut execution = Execution::new(facts, handler);
    execution.replay(events)?;
    Ok(Replayed { events: execution.history_len(), has_ended: execution.has_ended() })
}
