//! The reasons as a few lines.

use std::fmt;

use super::{Stage, Wait, WaitingActivity, WaitsOn, Why};
use crate::providers::LeaseHolder;

/// How many waits are shown; the others are counted.
const SHOWN_MAX: usize = 20;

impl fmt::Display for Why {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let one = &self.instance;
        write!(f, "{}  {} {}  {}", one.instance, one.name, one.version, one.status)?;
        if let Some(closed_at) = one.closed_at {
            return write!(f, " since {closed_at}");
        }
        write!(f, ", execution {}", one.execution_id)?;
        for reason in [&self.suspended, &self.missing_handler].into_iter().flatten() {
            write!(f, "\n  suspended: {}", indented(reason))?;
        }
        if let Some(damaged) = &self.damaged {
            write!(f, "\n  damaged: {}", indented(damaged))?;
        }
        if let Some(lease) = &self.turn {
            write!(f, "\n  a turn runs: {}", Lease(lease))?;
        }
        if let Some((count, since)) = self.messages {
            write!(f, "\n  {count} messages wait for the next turn since {since}")?;
        }
        for wait in self.waits.iter().take(SHOWN_MAX) {
            write!(f, "\n  waits {wait}")?;
        }
        match self.waits.len().saturating_sub(SHOWN_MAX) {
            0 => Ok(()),
            more => write!(f, "\n  … and for {more} more"),
        }
    }
}

fn indented(text: &str) -> String {
    text.replace('\n', "\n    ")
}

impl fmt::Display for Wait {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match &self.on {
            WaitsOn::Start { begins_at } => write!(f, "to begin at {begins_at}")?,
            WaitsOn::Timer { fire_at } => write!(f, "for a timer until {fire_at}")?,
            WaitsOn::Event { name } => write!(f, "for event `{name}`")?,
            WaitsOn::Child { instance, status: Some(status) } => {
                write!(f, "for child `{instance}`, which is {status},")?
            }
            WaitsOn::Child { instance, status: None } => write!(f, "for child `{instance}`, which is not there,")?,
            WaitsOn::Activity(activity) => write!(f, "for activity `{}`", activity.name)?,
        }
        write!(f, " since {}", self.since)?;
        if let Some(place) = &self.place {
            write!(f, " ({place})")?;
        }
        match &self.on {
            WaitsOn::Activity(activity) => write!(f, ": {activity}"),
            _ => Ok(()),
        }
    }
}

impl fmt::Display for WaitingActivity {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match &self.stage {
            Stage::Queued => f.write_str("no worker has taken it yet")?,
            Stage::Running(lease) => write!(f, "attempt {} runs, {}", self.attempt, Lease(lease))?,
            Stage::BackingOff { next_attempt_at } => write!(f, "attempt {} comes at {next_attempt_at}", self.attempt)?,
            Stage::Done => f.write_str("it is done, and the next turn takes its result")?,
        }
        if let Some(last) = self.failed_attempts.last() {
            write!(f, "; attempt {} {}", last.attempt, last.failure.summary())?;
        }
        match &self.unserved {
            Some(unserved) => write!(f, "; {unserved}"),
            None => Ok(()),
        }
    }
}

/// Who has a lease until when.
struct Lease<'a>(&'a LeaseHolder);

impl fmt::Display for Lease<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "leased to `{}` until {}", self.0.owner.as_str(), self.0.until)
    }
}
