//! What is done to an instance as a whole: suspending and resuming.

use super::{Source, Turn};
use crate::dispatch::door::{Accepted, Refusal};
use crate::dispatch::resident::Resident;
use crate::history::{Event, EventKind, HISTORY_FORMAT};
use crate::ids::EventId;
use crate::message::Message;
use crate::metadata::{self, Status};
use crate::payload::CodecError;
use crate::replay::Applied;

impl Turn {
    pub(super) fn take_order(&mut self, order: &Message, source: Source) -> Result<(), CodecError> {
        let answer = match (&self.resident, order) {
            (Resident::Absent, _) => Err(Refusal::NotFound),
            (Resident::Closed { status, .. }, _) => Err(Refusal::Closed(*status)),
            (
                Resident::Suspended { by_hand: false, identity: None, .. } | Resident::Pending { identity: None, .. },
                _,
            ) => Err(Refusal::NotFound),
            (Resident::Suspended { by_hand: true, .. }, Message::Resume) => {
                self.resume()?;
                Ok(Accepted::Kept)
            }
            (Resident::Suspended { by_hand: true, .. }, _) | (_, Message::Resume) => Ok(Accepted::Kept),
            _ => {
                self.suspend()?;
                Ok(Accepted::Kept)
            }
        };
        self.settle(source, answer);
        Ok(())
    }

    /// What comes after this waits until it is resumed.
    fn suspend(&mut self) -> Result<(), CodecError> {
        self.resident.suspend(metadata::BY_HAND.to_owned());
        self.note(EventKind::Suspended, Status::Suspended)?;
        if let Resident::Suspended { report, by_hand, needs, .. } = &mut self.resident {
            *by_hand = true;
            *needs = Some(metadata::TO_RESUME.to_owned());
            metadata::BY_HAND.clone_into(report);
        }
        Ok(())
    }

    fn resume(&mut self) -> Result<(), CodecError> {
        let begun = matches!(self.resident, Resident::Suspended { history_len: 1.., .. });
        self.note(EventKind::Resumed, if begun { Status::Running } else { Status::Pending })?;
        self.resident = Resident::Unloaded;
        Ok(())
    }

    /// Adds an event that no code sees. An execution that has not begun leaves no event.
    fn note(&mut self, kind: EventKind, status: Status) -> Result<(), CodecError> {
        let Resident::Suspended { execution_id, history_len, identity: Some(identity), .. } = &mut self.resident else {
            return Ok(());
        };
        if *history_len > 0 {
            *history_len += 1;
            let events = vec![Event { id: EventId(*history_len), at: self.now, kind }];
            let applied = Applied { events, cancelled: Vec::new(), returned: Vec::new() };
            self.effects.take(*execution_id, identity.depth(), applied)?;
        }
        self.effects.put_metadata(metadata::changed(identity, status));
        self.effects.set_labels(metadata::labels_ended(status));
        if status != Status::Suspended {
            let needs = metadata::needs(HISTORY_FORMAT, &identity.name, &identity.version);
            self.effects.set_labels(vec![(metadata::NEEDS_LABEL.to_owned(), Some(needs))]);
        }
        Ok(())
    }

    /// The message waits for the next turn.
    pub(super) fn defer(&mut self, source: Source) {
        match source {
            Source::Stored(_) => self.left += 1,
            Source::Hand(delivery) => self.deferred.push(*delivery),
            Source::Local => {}
        }
    }
}
