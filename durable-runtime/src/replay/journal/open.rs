//! What a command is that has not come back.

use std::collections::BTreeMap;

use crate::history::{ClosePolicy, Event, EventKind};
use crate::ids::{CommandId, InstanceId};

/// What a command is that has not come back.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) enum Open {
    /// Which of its limits are watched by a message.
    Activity {
        schedule_to_start: bool,
        schedule_to_close: bool,
    },
    Timer,
    Child {
        instance: InstanceId,
        on_close: ClosePolicy,
    },
    /// A detached child that does not outlive the execution. Nothing comes back for it.
    Dependent {
        instance: InstanceId,
        on_close: ClosePolicy,
    },
    Event {
        name: String,
    },
}

impl Open {
    /// What a history has asked for and not heard of, without running any code.
    pub(crate) fn in_history(history: &[Event]) -> Vec<(CommandId, Self)> {
        let mut open = BTreeMap::new();
        for Event { kind, .. } in history {
            let done = kind.completes().or(if let EventKind::CommandCancelled { command } = kind {
                Some(*command)
            } else {
                None
            });
            if let Some(command) = done {
                open.remove(&command);
            }
            if let Some((command, asked)) = Self::of(kind) {
                open.insert(command, asked);
            }
        }
        open.into_iter().collect()
    }

    pub(super) fn of(kind: &EventKind) -> Option<(CommandId, Self)> {
        Some(match kind {
            EventKind::ActivityScheduled { command, settings, .. } => {
                let (start, close) = (settings.schedule_to_start.is_some(), settings.schedule_to_close.is_some());
                (*command, Self::Activity { schedule_to_start: start, schedule_to_close: close })
            }
            EventKind::TimerSet { command, .. } => (*command, Self::Timer),
            EventKind::ChildStarted { command, detached: false, instance, on_close, .. } => {
                (*command, Self::Child { instance: instance.clone(), on_close: *on_close })
            }
            EventKind::ChildStarted { command, instance, on_close, .. } if *on_close != ClosePolicy::Abandon => {
                (*command, Self::Dependent { instance: instance.clone(), on_close: *on_close })
            }
            EventKind::EventAwaited { command, name, .. } => (*command, Self::Event { name: name.clone() }),
            _ => return None,
        })
    }
}
