//! The events of an execution.
//!
//! Two kinds alternate: what came in (a start, a completion, a raised event, …), and after it the commands that the
//! code gave because of it. So who was first is a fact of the order, and replay can compare the commands one by one.

use serde::{Deserialize, Serialize};

use super::attempts::FailedAttempt;
use super::failure::Failure;
use super::place::Place;
use super::settings::ActivitySettings;
use super::started::{ClosePolicy, Started};
use crate::clock::Timestamp;
use crate::ids::{CommandId, EventId, InstanceId};
use crate::payload::Payload;

/// One event of a history.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct Event {
    /// Where it stands: 1, 2, 3 … without gaps.
    pub id: EventId,
    /// When it happened; what `ctx.now()` gives to the code that runs because of it.
    pub at: Timestamp,
    /// What happened.
    pub kind: EventKind,
}
pub(super) fn is_none(count: &u32) -> bool {
    *count == 0
}

/// What happened.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
#[non_exhaustive]
pub enum EventKind {
    // What came in.
    /// The execution began.
    Started(Started),
    /// An activity returned.
    ActivityCompleted {
        /// The command that scheduled it.
        command: CommandId,
        /// What it returned.
        output: Payload,
        /// How many attempts it took.
        attempts: u32,
        /// The attempts before the last one, with their errors: the newest ten.
        #[serde(default, skip_serializing_if = "Vec::is_empty")]
        failed_attempts: Vec<FailedAttempt>,
        /// How often an attempt was begun anew because its process had died or lost its lease: not counted above.
        #[serde(default, skip_serializing_if = "is_none")]
        redeliveries: u32,
    },
    /// An activity failed for good.
    ActivityFailed {
        /// The command that scheduled it.
        command: CommandId,
        /// Why.
        failure: Failure,
        /// How many attempts were made.
        attempts: u32,
        /// The attempts before the last one, with their errors: the newest ten.
        #[serde(default, skip_serializing_if = "Vec::is_empty")]
        failed_attempts: Vec<FailedAttempt>,
        /// How often an attempt was begun anew because its process had died or lost its lease: not counted above.
        #[serde(default, skip_serializing_if = "is_none")]
        redeliveries: u32,
    },
    /// A timer is due.
    TimerFired {
        /// The command that set it.
        command: CommandId,
    },
    /// An event was raised from outside.
    EventRaised {
        /// Its name.
        name: String,
        /// What it says.
        value: Payload,
        /// The key of its sender: another event with this key is the same one, and not taken.
        #[serde(default, skip_serializing_if = "Option::is_none")]
        key: Option<String>,
    },
    /// A child returned.
    ChildCompleted {
        /// The command that started it.
        command: CommandId,
        /// What it returned.
        output: Payload,
    },
    /// A child ended without an output, or could not be started.
    ChildFailed {
        /// The command that started it.
        command: CommandId,
        /// Why.
        failure: Failure,
    },
    /// Somebody asked for the end of it.
    CancelRequested {
        /// Why.
        reason: String,
    },
    /// Nothing of it runs from here on, until it is resumed.
    Suspended,
    /// It goes on.
    Resumed,
    /// It has taken as long as it may.
    DeadlineReached {
        /// Which limit it was, with its length.
        message: String,
    },

    // What the code asked for.
    /// An activity is to be run.
    ActivityScheduled {
        /// The command.
        command: CommandId,
        /// The activity.
        name: String,
        /// Its arguments: one JSON object.
        input: Payload,
        /// How it is to be run. Not compared by replay.
        #[serde(default, skip_serializing_if = "ActivitySettings::is_default")]
        settings: ActivitySettings,
        /// The line of code. Not compared by replay.
        place: Place,
    },
    /// A timer is to go off.
    TimerSet {
        /// The command.
        command: CommandId,
        /// When.
        fire_at: Timestamp,
        /// The line of code. Not compared by replay.
        place: Place,
    },
    /// An event is waited for.
    EventAwaited {
        /// The command.
        command: CommandId,
        /// The name of the event.
        name: String,
        /// The line of code. Not compared by replay.
        place: Place,
    },
    /// A child is to be started.
    ChildStarted {
        /// The command.
        command: CommandId,
        /// The orchestration.
        name: String,
        /// Its version.
        version: String,
        /// The id of the child.
        instance: InstanceId,
        /// Its arguments: one JSON object.
        input: Payload,
        /// Whether nobody waits for it.
        #[serde(default, skip_serializing_if = "std::ops::Not::not")]
        detached: bool,
        /// What becomes of it when nobody waits for it any more. Not compared by replay.
        #[serde(default, skip_serializing_if = "ClosePolicy::is_default")]
        on_close: ClosePolicy,
        /// The line of code. Not compared by replay.
        place: Place,
    },
    /// A value was computed that a replay would not compute again.
    SideEffectRecorded {
        /// The command.
        command: CommandId,
        /// The name given to it.
        name: String,
        /// The value.
        value: Payload,
        /// The line of code. Not compared by replay.
        place: Place,
    },
    /// A key was looked at that an earlier execution may have set.
    KvRead {
        /// The command.
        command: CommandId,
        /// The key.
        key: String,
        /// Its value, if the code asked for it and there was one.
        #[serde(default, skip_serializing_if = "Option::is_none")]
        value: Option<Payload>,
        /// How long the value was, if there was one.
        #[serde(default, skip_serializing_if = "Option::is_none")]
        bytes: Option<u64>,
        /// The line of code. Not compared by replay.
        place: Place,
    },
    /// The code asked whether it may take a changed way, and it may: it came here first after the change.
    Patched {
        /// The name of the change.
        id: String,
    },
    /// The code does not wait any more: the future of a command was dropped.
    CommandCancelled {
        /// The command.
        command: CommandId,
    },

    // How it ended.
    /// It returned.
    Completed {
        /// What it returned.
        output: Payload,
    },
    /// It failed.
    Failed {
        /// Why.
        failure: Failure,
    },
    /// It was cancelled.
    Cancelled {
        /// Why.
        reason: String,
    },
    /// Its process died again and again while it ran this turn, so it was given up.
    Poisoned {
        /// How often, and what the turn was about.
        message: String,
    },
    /// It was ended at once from outside.
    Terminated {
        /// Why.
        reason: String,
    },
    /// It goes on as the next execution.
    ContinuedAsNew {
        /// The orchestration of the next execution.
        name: String,
        /// Its version.
        version: String,
        /// Its arguments: one JSON object.
        input: Payload,
    },
}
