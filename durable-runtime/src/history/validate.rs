//! What every history must be, checked from the outside.

use std::collections::BTreeSet;

use super::event::{Event, EventKind};
use crate::ids::{CommandId, EventId};

/// A history that cannot have come about.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("event {event}: {message}")]
pub struct InvalidHistory {
    /// Where.
    pub event: EventId,
    /// What is wrong.
    pub message: String,
}

/// Checks that a history is well formed: ids 1 to n without gaps, the start first, at most one end and nothing after
/// it, each command given once, each completion after its command and at most once.
///
/// # Errors
/// [`InvalidHistory`], which names the first event that cannot be.
pub fn validate(history: &[Event]) -> Result<(), InvalidHistory> {
    let mut audit = Audit::default();
    for event in history {
        audit.take(event).map_err(|message| InvalidHistory { event: event.id, message })?;
    }
    Ok(())
}

#[derive(Default)]
struct Audit {
    last: u64,
    last_command: u64,
    open: BTreeSet<CommandId>,
    ended: bool,
}

impl Audit {
    fn take(&mut self, event: &Event) -> Result<(), String> {
        if event.id.0 != self.last + 1 {
            return Err(format!("it follows event {}", self.last));
        }
        self.last = event.id.0;
        if self.ended {
            return Err("the execution had ended before".to_owned());
        }
        if matches!(event.kind, EventKind::Started(_)) != (self.last == 1) {
            return Err(format!("`{}` cannot stand here", event.kind.name()));
        }
        self.ended = event.kind.is_end();
        self.take_command(&event.kind)
    }

    fn take_command(&mut self, kind: &EventKind) -> Result<(), String> {
        if let Some(command) = given(kind) {
            if command.0 != self.last_command + 1 {
                return Err(format!("command {command} follows command {}", self.last_command));
            }
            self.last_command = command.0;
        }
        if let Some(command) = kind.opens() {
            self.open.insert(command);
        }
        match kind.completes().or(cancels(kind)) {
            Some(command) if !self.open.remove(&command) => Err(format!("command {command} is not open")),
            _ => Ok(()),
        }
    }
}

const fn given(kind: &EventKind) -> Option<CommandId> {
    match kind {
        EventKind::SideEffectRecorded { command, .. }
        | EventKind::KvRead { command, .. }
        | EventKind::ChildStarted { command, .. } => Some(*command),
        other => other.opens(),
    }
}

const fn cancels(kind: &EventKind) -> Option<CommandId> {
    match kind {
        EventKind::CommandCancelled { command } => Some(*command),
        _ => None,
    }
}
