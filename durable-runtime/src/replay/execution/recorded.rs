//! Going once more through what is recorded, and comparing.

use super::Execution;
use crate::history::{Event, EventKind};
use crate::ids::EventId;
use crate::observe::silently;
use crate::replay::compare::{Difference, compare};
use crate::replay::journal::Recorded;
use crate::replay::kept::Found;
use crate::replay::mismatch::{Mismatch, Step};

impl Execution {
    /// Goes once more through what is recorded.
    ///
    /// # Errors
    /// [`Mismatch`] if the code does not ask for what is recorded.
    pub(crate) fn replay(&mut self, history: &[Event]) -> Result<(), Box<Mismatch>> {
        // What the code says over what is recorded, it has said before.
        silently(|| self.replay_steps(history))
    }

    fn replay_steps(&mut self, history: &[Event]) -> Result<(), Box<Mismatch>> {
        let mut rest = history;
        while let [event, after @ ..] = rest {
            let count = after.iter().take_while(|event| !event.kind.is_incoming()).count();
            let (commands, next) = after.split_at(count);
            self.replay_step(event, commands)?;
            rest = next;
        }
        Ok(())
    }

    fn replay_step(&mut self, event: &Event, commands: &[Event]) -> Result<(), Box<Mismatch>> {
        let values = commands.iter().filter_map(|event| recorded(&event.kind)).collect();
        let given = self.step(event, true, values);
        self.journal.borrow_mut().take_cancelled();
        self.journal.borrow_mut().take_kept();
        self.journal.borrow_mut().take_returned();
        self.history_len = event.id.0 + commands.len() as u64;
        let bytes: usize = commands.iter().map(|event| event.kind.payload_bytes()).sum();
        self.journal.borrow_mut().history_bytes += bytes;
        // A patch that the code does not ask about any more has done its work.
        let is_over = |kind: &EventKind| matches!(kind, EventKind::Patched { .. }) && !given.contains(kind);
        let commands: Vec<&EventKind> =
            commands.iter().map(|event| &event.kind).filter(|kind| !is_over(kind)).collect();
        for index in 0..given.len().max(commands.len()) {
            let (recorded, asked) = (commands.get(index).copied(), given.get(index));
            let difference = match (recorded, asked) {
                (Some(recorded), Some(asked)) => compare(recorded, asked),
                _ => Difference::Step,
            };
            if difference != Difference::None {
                let at = EventId(event.id.0 + 1 + index as u64);
                return Err(Box::new(self.mismatch(at, recorded, asked, difference)));
            }
        }
        Ok(())
    }

    fn mismatch(
        &self,
        event: EventId,
        recorded: Option<&EventKind>,
        asked: Option<&EventKind>,
        difference: Difference,
    ) -> Mismatch {
        let facts = self.journal.borrow().facts.clone();
        Mismatch {
            instance: facts.instance,
            execution_id: facts.execution_id,
            event,
            recorded: recorded.map(Step::of),
            asked: asked.map(Step::of),
            field: if let Difference::Field(field) = difference { Some(field) } else { None },
        }
    }
}

fn recorded(kind: &EventKind) -> Option<Recorded> {
    match kind {
        EventKind::SideEffectRecorded { value, .. } => Some(Recorded::Value(value.clone())),
        EventKind::Patched { id } => Some(Recorded::Patched(id.clone())),
        EventKind::KvRead { value, bytes, .. } => Some(Recorded::Found(Found { value: value.clone(), bytes: *bytes })),
        _ => None,
    }
}
