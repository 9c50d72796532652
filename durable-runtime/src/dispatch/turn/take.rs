//! What a message does to an instance, by what the instance is.

use super::{Source, Turn};
use crate::dispatch::ActivityUnderWay;
use crate::dispatch::door::{Accepted, Origin, Refusal};
use crate::dispatch::resident::Resident;
use crate::history::EventKind;
use crate::ids::{ExecutionId, MessageId};
use crate::message::{Message, command_message_id};
use crate::metadata;
use crate::payload::CodecError;
use crate::providers::TransactionOp;

impl Turn {
    pub(super) fn take(&mut self, message: Message, source: Source) -> Result<(), CodecError> {
        if let (
            Message::ActivityDone { execution_id, command, progress_kept: true, .. },
            Resident::Live(_) | Resident::Closed { .. },
        ) = (&message, &self.resident)
        {
            self.effects.put_metadata(metadata::progress(&command_message_id(*execution_id, *command), None));
        }
        if self.is_of_a_stranger(&message) {
            self.settle(source, Ok(Accepted::Kept));
            return Ok(());
        }
        match (&mut self.resident, message) {
            (Resident::Unloaded, _) => {
                self.defer(source);
                Ok(())
            }
            (_, message @ (Message::Suspend | Message::Resume)) => self.take_order(&message, source),
            (Resident::Absent, Message::Start(start)) => self.take_first_start(start, source),
            // What is in its queue is its own start; one in hand is another.
            (Resident::Pending { .. }, Message::Start(start)) if matches!(source, Source::Stored(_)) => {
                self.take_first_start(start, source)
            }
            // Its own start is handed out to whoever can run it, suspended or not: from now on it waits as all else does.
            (Resident::Suspended { history_len: 0, by_hand: true, .. }, message @ Message::Start(_))
                if matches!(source, Source::Stored(_)) =>
            {
                self.effects.push(message.enqueue_for_anybody(&self.instance, message.id())?);
                self.settle(source, Ok(Accepted::Kept));
                Ok(())
            }
            // Its own start: it has not begun, because nobody here can run it.
            (Resident::Suspended { history_len: 0, .. }, message @ Message::Start(_))
                if matches!(source, Source::Stored(_)) =>
            {
                self.keep(message, source)
            }
            (Resident::Suspended { execution_id: ExecutionId(0), .. }, Message::Start(start)) => {
                self.park_start(start, source)
            }
            (_, Message::Start(start)) => self.take_other_start(start, source),
            (Resident::Absent, message @ Message::Raised { .. }) => self.keep(message, source),
            // It was deleted: what it had asked for has nobody to come back to.
            (Resident::Absent, _) => {
                self.settle(source, Err(Refusal::NotFound));
                Ok(())
            }
            // Its start is not due: nothing of it has run, and nothing will.
            (Resident::Pending { identity: Some(_), .. }, Message::Cancel { reason, .. }) => {
                self.end_unbegun(&EventKind::Cancelled { reason })?;
                self.settle(source, Ok(Accepted::Kept));
                Ok(())
            }
            (Resident::Closed { status, .. }, _) => {
                let refusal = Refusal::Closed(*status);
                self.settle(source, Err(refusal));
                Ok(())
            }
            (Resident::Suspended { identity: None, .. }, Message::Terminate { .. }) => {
                self.settle(source, Err(Refusal::NotFound));
                Ok(())
            }
            (
                Resident::Pending { identity: Some(_), .. } | Resident::Suspended { .. },
                Message::Terminate { reason, .. },
            ) => {
                self.terminate(reason)?;
                self.settle(source, Ok(Accepted::Kept));
                Ok(())
            }
            (Resident::Pending { .. } | Resident::Suspended { .. }, message) => self.keep(message, source),
            (Resident::Live(live), Message::Raised { name, value, key })
                if live.execution.is_full(&name, value.len()) =>
            {
                // Nothing that was accepted is lost: what is in the queue waits there until there is room.
                if matches!(source, Source::Stored(_)) {
                    return self.keep(Message::Raised { name, value, key }, source);
                }
                self.settle(source, Err(Refusal::Full));
                Ok(())
            }
            (Resident::Live(live), message) => {
                let execution_id = live.execution_id;
                let late = matches!(message, Message::ActivityLate { .. });
                let event = message.into_event(execution_id).filter(|event| live.execution.accepts(event));
                if let Some(mut event) = event {
                    if late {
                        self.give_up(execution_id, &mut event);
                    }
                    self.apply(event)?;
                }
                self.settle(source, Ok(Accepted::Kept));
                Ok(())
            }
        }
    }

    /// Whether a parent asks for the end of an instance that is not its child.
    pub(super) fn is_of_a_stranger(&self, message: &Message) -> bool {
        let (Some(by), Some(identity)) = (message.asked_by(), self.resident.identity()) else { return false };
        !identity.parent.as_ref().is_some_and(|parent| parent.is(by))
    }

    /// An activity is late: says how far it had come, and has it stopped.
    pub(super) fn give_up(&mut self, execution_id: ExecutionId, event: &mut EventKind) {
        let EventKind::ActivityFailed { command, attempts, failed_attempts, .. } = event else { return };
        self.effects.give_up(execution_id, *command);
        let under_way = self.rules.under_way.of(&self.instance);
        let of_command =
            |activity: &ActivityUnderWay| (activity.execution_id, activity.command) == (execution_id, *command);
        if let Some(activity) = under_way.into_iter().find(of_command) {
            *attempts = activity.attempt.saturating_sub(u32::from(activity.next_attempt_at.is_some()));
            *failed_attempts = activity.failed_attempts;
        }
    }

    /// The message is done with, once the transaction is kept.
    pub(super) fn settle(&mut self, source: Source, answer: Result<Accepted, Refusal>) {
        match source {
            Source::Stored(id) => self.acked.push(id),
            Source::Hand(delivery) => {
                if let Origin::Worker { token, .. } = &delivery.from {
                    self.effects.push(TransactionOp::AckWork { token: token.clone() });
                }
                self.answers.push((*delivery, answer));
            }
            Source::Local => {}
        }
    }

    /// The message waits in the queue for a turn that can take it.
    pub(super) fn keep(&mut self, message: Message, source: Source) -> Result<(), CodecError> {
        let id = message.id();
        self.keep_as(message, source, id)
    }

    pub(super) fn keep_as(&mut self, message: Message, source: Source, id: MessageId) -> Result<(), CodecError> {
        if !matches!(source, Source::Stored(_)) {
            // A completion for an instance that is not there any more has nothing to wait for.
            if matches!(message, Message::Raised { .. }) || !matches!(self.resident, Resident::Absent) {
                self.effects.push(message.enqueue(&self.instance, id)?);
            }
            self.settle(source, Ok(Accepted::Kept));
        } else {
            self.left += 1;
        }
        Ok(())
    }
}
