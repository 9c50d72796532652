//! Why an instance does not go on: one call that explains any of them.

mod activity;
mod display;
mod gather;
mod open;

use crate::clock::Timestamp;
use crate::history::{FailedAttempt, Place};
use crate::ids::{CommandId, ExecutionId, InstanceId};
use crate::metadata::{InstanceStatus, Status};
use crate::providers::LeaseHolder;

/// Why an instance does not go on; see [`Client::why`](crate::Client::why). Its `Display` is a line for each reason.
#[derive(Debug, Clone)]
#[non_exhaustive]
pub struct Why {
    /// The instance, and where it stands.
    pub instance: InstanceStatus,
    /// Why it cannot go on in this process: a mismatch of history and code, a turn that took too long.
    pub suspended: Option<String>,
    /// Why the store hands out nothing of it, or what it waits for cannot be told: the record that is damaged.
    pub damaged: Option<String>,
    /// That this runtime has no handler of its name and version, and what it has. A client without a runtime cannot tell.
    pub missing_handler: Option<String>,
    /// Who runs a turn of it at the moment.
    pub turn: Option<LeaseHolder>,
    /// Messages that its next turn takes: how many, and since when the oldest is visible.
    pub messages: Option<(usize, Timestamp)>,
    /// What it waits for, in the order in which it began to.
    pub waits: Vec<Wait>,
}

/// One thing that an instance waits for.
#[derive(Debug, Clone)]
#[non_exhaustive]
pub struct Wait {
    /// What.
    pub on: WaitsOn,
    /// Since when.
    pub since: Timestamp,
    /// The command by which it waits; `None` before it has begun.
    pub command: Option<CommandId>,
    /// The line of the user's code.
    pub place: Option<Place>,
}

/// What an instance waits for.
#[derive(Debug, Clone)]
#[non_exhaustive]
pub enum WaitsOn {
    /// To begin: its start was delayed until then.
    Start {
        /// When it begins.
        begins_at: Timestamp,
    },
    /// A timer.
    Timer {
        /// When it is due.
        fire_at: Timestamp,
    },
    /// An event from outside.
    Event {
        /// Its name.
        name: String,
    },
    /// A child.
    Child {
        /// The instance.
        instance: InstanceId,
        /// Where it stands; `None` if it is not there: not started yet, or deleted.
        status: Option<Status>,
    },
    /// An activity.
    Activity(WaitingActivity),
}

/// An activity that an instance waits for.
#[derive(Debug, Clone)]
#[non_exhaustive]
pub struct WaitingActivity {
    /// Its name.
    pub name: String,
    /// The workers that may take it.
    pub tag: Option<String>,
    /// How far it has come.
    pub stage: Stage,
    /// Which attempt runs or is next, counted from 1.
    pub attempt: u32,
    /// The attempts before it, with their errors: the newest ten.
    pub failed_attempts: Vec<FailedAttempt>,
    /// Why no worker of this process takes it. A client without a runtime cannot tell.
    pub unserved: Option<String>,
}

/// How far an activity has come.
#[derive(Debug, Clone, PartialEq, Eq)]
#[non_exhaustive]
pub enum Stage {
    /// It waits for a worker.
    Queued,
    /// An attempt runs.
    Running(LeaseHolder),
    /// The next attempt comes then.
    BackingOff {
        /// When.
        next_attempt_at: Timestamp,
    },
    /// It is done; the next turn takes its result.
    Done,
}

impl Why {
    /// The execution that it is about.
    pub fn execution_id(&self) -> ExecutionId {
        self.instance.execution_id
    }
}
