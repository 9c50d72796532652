//! One turn: messages in, one transaction out. No I/O and no waiting here.

mod held;
mod poison;
mod starts;

use std::sync::Arc;
use std::time::Duration;

use crate::clock::Timestamp;
use crate::dispatch::door::{Accepted, Delivery, Origin, Refusal};
use crate::dispatch::double_check::Part;
use crate::dispatch::effects::{Effects, outcome_of};
use crate::dispatch::kept::{Kept, Trial};
use crate::dispatch::resident::Resident;
use crate::dispatch::{ActivityUnderWay, UnderWay};
use crate::history::{Event, EventKind};
use crate::ids::{EventId, ExecutionId, InstanceId, MessageId};
use crate::limits::Limits;
use crate::message::{Message, command_message_id, start_message_id};
use crate::metadata::{self, Identity};
use crate::observe::{TurnNotes, turn_span};
use crate::payload::CodecError;
use crate::providers::{LeasedTurn, Queue, TransactionOp};
use crate::registry::Registry;
use crate::replay::{Applied, Execution};

/// How many generations of continue-as-new one turn may run through.
const GENERATIONS_MAX: usize = 8;

/// What is the same for all turns of a runtime.
#[derive(Clone)]
pub(super) struct Rules {
    pub(super) registry: Arc<Registry>,
    pub(super) limits: Limits,
    /// How far activities have come.
    pub(super) under_way: Arc<UnderWay>,
    /// Whether another process may know what this one does not.
    pub(super) shared: bool,
    /// Whether what a turn added is to be gone over twice.
    pub(super) double_check: bool,
}

/// What a turn comes to.
pub(super) struct Planned {
    /// What is to be kept, all or nothing.
    pub(super) ops: Vec<TransactionOp>,
    /// The instance after it.
    pub(super) resident: Resident,
    /// What the store has of it beside its histories, after it.
    pub(super) kept: Kept,
    /// The messages in hand, and what their senders are told once it is kept.
    pub(super) answers: Vec<(Delivery, Result<Accepted, Refusal>)>,
    /// The messages in hand that the next turn is to take.
    pub(super) deferred: Vec<Delivery>,
    /// Activities whose results nobody wants any more.
    pub(super) unwanted: Vec<MessageId>,
    /// What the code did, to be gone over twice.
    pub(super) parts: Vec<Part>,
    /// What is to be counted once it is kept.
    pub(super) notes: TurnNotes,
}

/// Where a message came from.
enum Source {
    /// The queue of the instance.
    Stored(MessageId),
    /// A sender that waits.
    Hand(Box<Delivery>),
}

struct Turn<'a> {
    rules: &'a Rules,
    instance: InstanceId,
    now: Timestamp,
    resident: Resident,
    kept: Kept,
    effects: Effects,
    acked: Vec<MessageId>,
    answers: Vec<(Delivery, Result<Accepted, Refusal>)>,
    deferred: Vec<Delivery>,
    generations: usize,
    /// How many stored messages stay as they are.
    left: usize,
    parts: Vec<Part>,
    notes: TurnNotes,
    /// In which the code runs.
    span: tracing::Span,
    /// How long the oldest message has waited.
    waited: Duration,
}

/// Runs the turn of an instance. If a message cannot be read, or an event not be written, the instance is suspended.
pub(super) fn plan(
    rules: &Rules,
    leased: &LeasedTurn,
    resident: Resident,
    kept: Kept,
    deliveries: Vec<Delivery>,
) -> Planned {
    let span = turn_span(leased, resident.identity().map(AsRef::as_ref));
    let _inside = span.clone().entered();
    let mut turn = Turn {
        rules,
        instance: leased.instance.clone(),
        // The clock of the store is the only one: what is due, and what the code is told.
        now: Timestamp::from_millis(leased.lock_token.granted_at_ms),
        resident,
        kept,
        effects: Effects::new(leased.instance.clone(), leased.lock_token.fence),
        acked: Vec::new(),
        answers: Vec::new(),
        deferred: Vec::new(),
        generations: 0,
        left: 0,
        parts: Vec::new(),
        notes: TurnNotes::default(),
        span,
        waited: waited(leased),
    };
    let deadly = turn.kept.trial == Trial::Lost;
    if deadly {
        turn.give_up_turn(leased);
    }
    for (message, source) in turn.in_order(leased, deliveries) {
        if deadly && matches!(source, Source::Stored(_)) {
            turn.settle(source, Ok(Accepted::Kept));
        } else if let Err(error) = turn.take(message, source) {
            turn.resident.suspend(format!("a message or an event cannot be written: {error}"));
        }
    }
    turn.finish()
}

impl Turn<'_> {
    /// Stored messages first, then those in hand; but a start comes before what waits for it.
    fn in_order(&mut self, leased: &LeasedTurn, deliveries: Vec<Delivery>) -> Vec<(Message, Source)> {
        let mut messages = Vec::with_capacity(leased.messages.len() + deliveries.len());
        for stored in &leased.messages {
            match Message::decode(&stored.data) {
                Ok(message) => messages.push((message, Source::Stored(stored.id.clone()))),
                Err(error) => self.resident.suspend(format!("message `{}` cannot be read: {error}", stored.id)),
            }
        }
        messages.extend(
            deliveries.into_iter().map(|delivery| (delivery.message.clone(), Source::Hand(Box::new(delivery)))),
        );
        if matches!(self.resident, Resident::Absent | Resident::Pending { .. }) {
            messages.sort_by_key(|(message, _)| !matches!(message, Message::Start(_)));
        }
        messages
    }

    fn take(&mut self, message: Message, source: Source) -> Result<(), CodecError> {
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
    fn is_of_a_stranger(&self, message: &Message) -> bool {
        let (Some(by), Some(identity)) = (message.asked_by(), self.resident.identity()) else { return false };
        !identity.parent.as_ref().is_some_and(|parent| parent.is(by))
    }

    /// An activity is late: says how far it had come, and has it stopped.
    fn give_up(&mut self, execution_id: ExecutionId, event: &mut EventKind) {
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
    fn settle(&mut self, source: Source, answer: Result<Accepted, Refusal>) {
        match source {
            Source::Stored(id) => self.acked.push(id),
            Source::Hand(delivery) => {
                if let Origin::Worker { token, .. } = &delivery.from {
                    self.effects.push(TransactionOp::AckWork { token: token.clone() });
                }
                self.answers.push((*delivery, answer));
            }
        }
    }

    /// The message waits in the queue for a turn that can take it.
    fn keep(&mut self, message: Message, source: Source) -> Result<(), CodecError> {
        let id = message.id();
        self.keep_as(message, source, id)
    }

    fn keep_as(&mut self, message: Message, source: Source, id: MessageId) -> Result<(), CodecError> {
        if let Source::Hand(_) = &source {
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

    /// Runs the code over one event.
    fn apply(&mut self, event: EventKind) -> Result<(), CodecError> {
        let Resident::Live(live) = &mut self.resident else { return Ok(()) };
        let applied = live.execution.apply(event, self.now);
        if let Some(status) = live.execution.take_custom_status() {
            self.effects.put_metadata(metadata::custom_status(&status));
        }
        let (execution_id, depth, changes) = (live.execution_id, live.identity.depth(), live.execution.take_kept());
        self.kept.change(changes, &mut self.effects);
        self.effects.trace.clone_from(&live.identity.trace);
        if self.rules.double_check {
            add_part(&mut self.parts, &live.execution, &applied.events);
        }
        let end = applied.events.last().map(|event| event.kind.clone()).filter(EventKind::is_end);
        self.effects.take(execution_id, depth, applied)?;
        match end {
            Some(end @ EventKind::ContinuedAsNew { .. }) => self.continue_as_new(end),
            Some(end) => self.close(&end),
            None => Ok(()),
        }
    }

    fn close(&mut self, end: &EventKind) -> Result<(), CodecError> {
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

    fn end_deadline(&mut self, execution_id: ExecutionId, identity: &Identity) {
        if identity.deadline.is_some() {
            self.effects.cancel_deadline(execution_id);
        }
    }

    fn terminate(&mut self, reason: String) -> Result<(), CodecError> {
        self.end_at_once(EventKind::Terminated { reason })
    }

    /// Ends an instance at once, even one whose code cannot be run.
    fn end_at_once(&mut self, end: EventKind) -> Result<(), CodecError> {
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
        }
        self.close(&end)
    }

    /// Ends an instance that waits for its start. A history without a start would be none: it leaves no event.
    fn end_unbegun(&mut self, end: &EventKind) -> Result<(), CodecError> {
        let queue = Queue::Turns(self.instance.clone());
        let start = start_message_id(self.resident.execution_id());
        self.effects.push(TransactionOp::CancelWork { queue, items: vec![start] });
        self.resident.suspend("ended before it began".to_owned());
        self.close(end)
    }

    fn finish(mut self) -> Planned {
        if std::mem::take(&mut self.kept.trial) == Trial::Begun {
            self.effects.put_metadata(metadata::trial(false));
        }
        let unwanted = self.effects.cancelled_activities().to_vec();
        if !self.acked.is_empty() {
            let (instance, messages) = (self.instance.clone(), self.acked);
            self.effects.push(TransactionOp::AckMessages { instance, messages });
        }
        self.effects.push(TransactionOp::ReleaseLock {
            delay: self.resident.delay(self.waited, self.left > 0),
            // What stays has done no harm: only what ended with its process counts.
            give_back_attempt: true,
        });
        Planned {
            ops: self.effects.into_ops(),
            resident: self.resident,
            kept: self.kept,
            answers: self.answers,
            deferred: self.deferred,
            unwanted,
            parts: self.parts,
            notes: self.notes,
        }
    }
}

/// How long the oldest message of a turn has waited for it.
fn waited(leased: &LeasedTurn) -> Duration {
    let now = Timestamp::from_millis(leased.lock_token.granted_at_ms);
    leased.messages.iter().map(|message| now.saturating_since(message.visible_at)).max().unwrap_or_default()
}

/// Adds the events of an execution to what is to be gone over twice.
fn add_part(parts: &mut Vec<Part>, execution: &Execution, events: &[Event]) {
    let facts = execution.facts();
    match parts.last_mut().filter(|part| part.facts.execution_id == facts.execution_id) {
        Some(part) => part.events.extend_from_slice(events),
        None => parts.push(Part { facts, handler: execution.handler().clone(), events: events.to_vec() }),
    }
}
