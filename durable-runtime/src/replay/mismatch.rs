//! History and code disagree: a page of help.

use std::fmt;

use crate::history::{EventKind, Place};
use crate::ids::{EventId, ExecutionId, InstanceId};

/// The code asked for another step than the history has. Nothing was written; the instance is suspended, and goes on
/// by itself when a build appears whose code matches.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub struct Mismatch {
    /// The instance.
    pub instance: InstanceId,
    /// Its execution.
    pub execution_id: ExecutionId,
    /// The event at which they part.
    pub event: EventId,
    /// What the history has there.
    pub recorded: Option<Step>,
    /// What the code asks for now.
    pub asked: Option<Step>,
    /// The first field in which they differ, if they are of one kind.
    pub field: Option<String>,
}

/// One side of a mismatch.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Step {
    /// What it is: `call to activity \`reserve_stock\``.
    pub what: String,
    /// The line of code that gave it.
    pub place: Option<Place>,
}

impl Step {
    pub(crate) fn of(kind: &EventKind) -> Self {
        Self { what: describe(kind), place: kind.place().cloned() }
    }
}

fn describe(kind: &EventKind) -> String {
    match kind {
        EventKind::ActivityScheduled { name, .. } => format!("call to activity `{name}`"),
        EventKind::TimerSet { fire_at, .. } => format!("timer until {fire_at}"),
        EventKind::EventAwaited { name, .. } => format!("wait for event `{name}`"),
        EventKind::ChildStarted { name, version, .. } => format!("start of child `{name}` {version}"),
        EventKind::SideEffectRecorded { name, .. } => format!("side effect `{name}`"),
        EventKind::KvRead { key, .. } => format!("look at key `{key}`"),
        EventKind::Patched { id } => format!("patch `{id}`"),
        EventKind::CommandCancelled { command } => format!("cancellation of command {command}"),
        EventKind::Completed { .. } => "return with an output".to_owned(),
        EventKind::Failed { .. } => "return with an error".to_owned(),
        EventKind::ContinuedAsNew { name, version, .. } => format!("continue-as-new with `{name}` {version}"),
        other => format!("`{}`", other.name()),
    }
}

impl fmt::Display for Mismatch {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        writeln!(f, "history and code disagree at event {} of instance `{}` (DUR0107)", self.event, self.instance)?;
        writeln!(f, "  recorded  {}", side(self.recorded.as_ref(), "nothing: the code waited here"))?;
        writeln!(f, "  now       {}", side(self.asked.as_ref(), "nothing: the code waits, or has ended"))?;
        if let Some(field) = &self.field {
            writeln!(f, "  differs   {field}")?;
        }
        write!(f, "  usual cause: {}", self.cause())
    }
}

impl Mismatch {
    fn cause(&self) -> &'static str {
        match (&self.recorded, &self.asked) {
            (Some(_), None) => {
                "a step was taken out; keep it for instances in flight, or register the change as a new version"
            }
            (None, Some(_)) => "a step was added above this one; register the change as a new version",
            _ if self.field.is_some() => {
                "an argument changed, or comes from something that is not in the history; register the change as a new version"
            }
            _ => "a step was added above this one; register the change as a new version",
        }
    }
}

fn side(step: Option<&Step>, nothing: &str) -> String {
    match step {
        Some(Step { what, place: Some(place) }) => format!("{what} ({place})"),
        Some(Step { what, place: None }) => what.clone(),
        None => nothing.to_owned(),
    }
}
