//! The events of an execution.
//!
//! Two kinds alternate: what came in (a start, a completion, a raised event, …), and after it the commands that the
//! code gave because of it. So who was first is a fact of the order, and replay can compare the commands one by one.

use std::borrow::Cow;
use std::collections::BTreeMap;
use std::fmt;
use std::panic::Location;
use std::time::Duration;

use serde::{Deserialize, Serialize};

use super::attempts::FailedAttempt;
use super::failure::Failure;
use crate::clock::Timestamp;
use crate::ids::{CommandId, EventId, ExecutionId, InstanceId};
use crate::observe::TraceContext;
use crate::payload::Payload;
use crate::retry::{RetryPolicy, optional_millis};

/// A line of the user's code.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord)]
pub struct Place {
    /// The file, as the compiler was told of it.
    pub file: Cow<'static, str>,
    /// The line, counted from 1.
    pub line: u32,
}

impl Place {
    /// A place known when the code was compiled.
    pub const fn new(file: &'static str, line: u32) -> Self {
        Self { file: Cow::Borrowed(file), line }
    }
}

impl From<&'static Location<'static>> for Place {
    fn from(location: &'static Location<'static>) -> Self {
        Self::new(location.file(), location.line())
    }
}

impl fmt::Display for Place {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}:{}", self.file, self.line)
    }
}

impl Serialize for Place {
    fn serialize<S: serde::Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        serializer.collect_str(self)
    }
}

impl<'de> Deserialize<'de> for Place {
    fn deserialize<D: serde::Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        let text = Cow::<'de, str>::deserialize(deserializer)?;
        let place = text.rsplit_once(':').and_then(|(file, line)| Some((file.to_owned(), line.parse().ok()?)));
        let (file, line) = place.ok_or_else(|| serde::de::Error::custom("a place is `file:line`"))?;
        Ok(Self { file: Cow::Owned(file), line })
    }
}

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

/// Who waits for a child.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Parent {
    /// The instance.
    pub instance: InstanceId,
    /// The execution of it that started the child; a later one does not hear of it.
    pub execution_id: ExecutionId,
    /// The command by which it did; `None` if it does not wait.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub command: Option<CommandId>,
    /// How many instances stand above the child: 1 for the child of an instance that is nobody's child.
    #[serde(default, skip_serializing_if = "is_none")]
    pub depth: u32,
}

impl Parent {
    /// Whether both are the same call of the same execution.
    pub(crate) fn is(&self, other: &Self) -> bool {
        (&self.instance, self.execution_id, self.command) == (&other.instance, other.execution_id, other.command)
    }
}

/// What becomes of a child when nobody waits for it any more: the execution that started it ends, or its call is dropped.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum ClosePolicy {
    /// It is cancelled, and cleans up. So it is for a child that is waited for, unless you say otherwise.
    #[default]
    Cancel,
    /// It is ended at once; its own children follow their own policies.
    Terminate,
    /// It goes on by itself. So it is for a detached child, unless you say otherwise.
    Abandon,
}

impl ClosePolicy {
    fn is_default(&self) -> bool {
        *self == Self::default()
    }
}

/// An event that came for an earlier execution and was not taken there.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct Carried {
    /// Its name.
    pub name: String,
    /// What it says.
    pub value: Payload,
}

/// How much an instance keeps by key.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default, Serialize, Deserialize)]
pub struct KvTotals {
    /// How many keys have a value.
    pub keys: u64,
    /// The bytes of these keys and their values.
    pub bytes: u64,
}

impl KvTotals {
    fn is_empty(&self) -> bool {
        self.keys == 0
    }
}

/// The first event of every history.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct Started {
    /// The format of this history: [`HISTORY_FORMAT`](super::HISTORY_FORMAT) when it was written.
    pub format: u32,
    /// The orchestration.
    pub name: String,
    /// Its version.
    pub version: String,
    /// The fingerprint of its outline in the build that started it.
    pub fingerprint: u64,
    /// Its arguments: one JSON object.
    pub input: Payload,
    /// Who started it, if it is a child.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub parent: Option<Parent>,
    /// Events of the execution before this one that nobody took, in order.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub carried: Vec<Carried>,
    /// The trace it belongs to, if it was started with one.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub trace: Option<TraceContext>,
    /// The newest keys of events that the executions before it have taken.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub event_keys: Vec<String>,
    /// What it can be found by when it begins.
    #[serde(default, skip_serializing_if = "BTreeMap::is_empty")]
    pub labels: BTreeMap<String, String>,
    /// How much the executions before it have left by key.
    #[serde(default, skip_serializing_if = "KvTotals::is_empty")]
    pub kv: KvTotals,
    /// How long this execution may take.
    #[serde(default, skip_serializing_if = "Option::is_none", with = "optional_millis")]
    pub timeout: Option<Duration>,
}

/// How an activity is to be run.
#[derive(Debug, Clone, PartialEq, Default, Serialize, Deserialize)]
pub struct ActivitySettings {
    /// How often it is tried.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub retry: Option<RetryPolicy>,
    /// How long one attempt may take.
    #[serde(default, skip_serializing_if = "Option::is_none", with = "optional_millis")]
    pub timeout: Option<Duration>,
    /// How long it may be silent.
    #[serde(default, skip_serializing_if = "Option::is_none", with = "optional_millis")]
    pub heartbeat_timeout: Option<Duration>,
    /// How long it may wait for its first attempt.
    #[serde(default, skip_serializing_if = "Option::is_none", with = "optional_millis")]
    pub schedule_to_start: Option<Duration>,
    /// How long it may take in all, waits and attempts together.
    #[serde(default, skip_serializing_if = "Option::is_none", with = "optional_millis")]
    pub schedule_to_close: Option<Duration>,
    /// Which workers may take it.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub tag: Option<String>,
    /// With which others it runs in one process.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub session: Option<String>,
}

impl ActivitySettings {
    fn is_default(&self) -> bool {
        *self == Self::default()
    }
}

fn is_none(count: &u32) -> bool {
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

impl EventKind {
    /// The name under which it is stored: `activity_scheduled`, `timer_fired` …
    pub const fn name(&self) -> &'static str {
        match self {
            Self::Started(_) => "started",
            Self::ActivityCompleted { .. } => "activity_completed",
            Self::ActivityFailed { .. } => "activity_failed",
            Self::TimerFired { .. } => "timer_fired",
            Self::EventRaised { .. } => "event_raised",
            Self::ChildCompleted { .. } => "child_completed",
            Self::ChildFailed { .. } => "child_failed",
            Self::CancelRequested { .. } => "cancel_requested",
            Self::DeadlineReached { .. } => "deadline_reached",
            Self::Suspended => "suspended",
            Self::Resumed => "resumed",
            Self::ActivityScheduled { .. } => "activity_scheduled",
            Self::TimerSet { .. } => "timer_set",
            Self::EventAwaited { .. } => "event_awaited",
            Self::ChildStarted { .. } => "child_started",
            Self::SideEffectRecorded { .. } => "side_effect_recorded",
            Self::KvRead { .. } => "kv_read",
            Self::Patched { .. } => "patched",
            Self::CommandCancelled { .. } => "command_cancelled",
            Self::Completed { .. } => "completed",
            Self::Failed { .. } => "failed",
            Self::Cancelled { .. } => "cancelled",
            Self::Terminated { .. } => "terminated",
            Self::Poisoned { .. } => "poisoned",
            Self::ContinuedAsNew { .. } => "continued_as_new",
        }
    }

    /// Whether it came in, rather than being given by the code.
    pub const fn is_incoming(&self) -> bool {
        matches!(
            self,
            Self::Started(_)
                | Self::ActivityCompleted { .. }
                | Self::ActivityFailed { .. }
                | Self::TimerFired { .. }
                | Self::EventRaised { .. }
                | Self::ChildCompleted { .. }
                | Self::ChildFailed { .. }
                | Self::CancelRequested { .. }
                | Self::DeadlineReached { .. }
                | Self::Suspended
                | Self::Resumed
                | Self::Terminated { .. }
                | Self::Poisoned { .. }
        )
    }

    /// Whether the execution ends with it.
    pub const fn is_end(&self) -> bool {
        matches!(
            self,
            Self::Completed { .. }
                | Self::Failed { .. }
                | Self::Cancelled { .. }
                | Self::Terminated { .. }
                | Self::Poisoned { .. }
                | Self::ContinuedAsNew { .. }
        )
    }

    /// The command that gave it, if it is a command that something can come back for.
    pub const fn opens(&self) -> Option<CommandId> {
        match self {
            Self::ActivityScheduled { command, .. }
            | Self::TimerSet { command, .. }
            | Self::EventAwaited { command, .. }
            | Self::ChildStarted { command, detached: false, .. } => Some(*command),
            _ => None,
        }
    }

    /// The command that it completes.
    pub const fn completes(&self) -> Option<CommandId> {
        match self {
            Self::ActivityCompleted { command, .. }
            | Self::ActivityFailed { command, .. }
            | Self::TimerFired { command }
            | Self::ChildCompleted { command, .. }
            | Self::ChildFailed { command, .. } => Some(*command),
            _ => None,
        }
    }

    /// The line of the user's code that gave it.
    pub const fn place(&self) -> Option<&Place> {
        match self {
            Self::ActivityScheduled { place, .. }
            | Self::TimerSet { place, .. }
            | Self::EventAwaited { place, .. }
            | Self::ChildStarted { place, .. }
            | Self::KvRead { place, .. }
            | Self::SideEffectRecorded { place, .. } => Some(place),
            _ => None,
        }
    }
}
