//! What can be told of an event by its kind alone.

use super::event::EventKind;
use super::failure::Failure;
use super::place::Place;
use crate::ids::CommandId;

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

    /// How long its payloads are together, in bytes. The rest of an event is short.
    pub(crate) fn payload_bytes(&self) -> usize {
        match self {
            Self::Started(started) => {
                started.input.len() + started.carried.iter().map(|carried| carried.value.len()).sum::<usize>()
            }
            Self::ActivityCompleted { output: payload, .. }
            | Self::ChildCompleted { output: payload, .. }
            | Self::Completed { output: payload }
            | Self::EventRaised { value: payload, .. }
            | Self::SideEffectRecorded { value: payload, .. }
            | Self::ActivityScheduled { input: payload, .. }
            | Self::ChildStarted { input: payload, .. }
            | Self::ContinuedAsNew { input: payload, .. }
            | Self::KvRead { value: Some(payload), .. }
            | Self::ActivityFailed { failure: Failure::Failed { error: payload }, .. }
            | Self::ChildFailed { failure: Failure::Failed { error: payload }, .. }
            | Self::Failed { failure: Failure::Failed { error: payload } } => payload.len(),
            _ => 0,
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
