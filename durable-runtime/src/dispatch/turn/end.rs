//! How an instance ends: by its code, at once, or before it has begun.

use super::Turn;
use crate::dispatch::effects::outcome_of;
use crate::dispatch::resident::Resident;
use crate::history::{Event, EventKind};
use crate::ids::{EventId, ExecutionId};
use crate::message::start_message_id;
use crate::metadata::{self, Identity};
use crate::payload::CodecError;
use crate::providers::{Queue, TransactionOp};
use crate::replay::Applied;

impl Turn {
    pub(super) fn close(&mut self, end: &EventKind) -> Result<(), CodecError> {
        let (execution_id, identity) = match &self.resident {
            Resident::Live(live) => (live.execution_id, live.identity.clone()),
            Resident::Suspended { execution_id, identity: Some(identity), .. } => (*execution_id, identity.clone()),
            _ => return Ok(()),
        };
        self.notes.ended(&identity.name, end);
        self.end_deadline(execution_id, &identity);
        self.effects.put_metadata(metadata::ended(&identity, end, self.now));
        self.effects.set_labels(metadata::labels_ended(metadata::status_of(end)));
        if let (Some(parent), Some(outcome)) = (&identity.parent, outcome_of(end)) {
            self.effects.tell_parent(parent, outcome)?;
        }
        self.resident = Resident::Closed { execution_id, status: metadata::status_of(end) };
        Ok(())
    }

    pub(super) fn end_deadline(&mut self, execution_id: ExecutionId, identity: &Identity) {
        if identity.deadline.is_some() {
            self.effects.cancel_deadline(execution_id);
        }
    }

    pub(super) fn terminate(&mut self, reason: String) -> Result<(), CodecError> {
        self.end_at_once(EventKind::Terminated { reason })
    }

    /// Ends an instance at once, even one whose code cannot be run.
    pub(super) fn end_at_once(&mut self, end: EventKind) -> Result<(), CodecError> {
        if matches!(self.resident, Resident::Pending { .. }) {
            return self.end_unbegun(&end);
        }
        let Resident::Suspended { execution_id, history_len, identity, open, .. } = &mut self.resident else {
            return self.apply(end);
        };
        // A history without a start would be none: what never began leaves no event.
        if *history_len > 0 {
            let event = Event { id: EventId(*history_len + 1), at: self.now, kind: end.clone() };
            let applied = Applied { events: vec![event], cancelled: std::mem::take(open), returned: Vec::new() };
            let depth = identity.as_ref().map_or(0, |identity| identity.depth());
            self.effects.take(*execution_id, depth, applied)?;
        } else {
            self.cancel_start();
        }
        self.close(&end)
    }

    /// Its own start has nothing to begin any more. It may need what this runtime has not, and so would wait for ever.
    fn cancel_start(&mut self) {
        let queue = Queue::Turns(self.instance.clone());
        let start = start_message_id(self.resident.execution_id());
        self.effects.push(TransactionOp::CancelWork { queue, items: vec![start] });
    }

    /// Ends an instance that waits for its start. A history without a start would be none: it leaves no event.
    pub(super) fn end_unbegun(&mut self, end: &EventKind) -> Result<(), CodecError> {
        self.cancel_start();
        self.resident.suspend("ended before it began".to_owned());
        self.close(end)
    }
}
