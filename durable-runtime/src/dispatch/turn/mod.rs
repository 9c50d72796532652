//! One turn: messages in, one transaction out. No I/O and no waiting here.

mod end;
mod held;
mod local;
mod poison;
mod starts;
mod take;

use std::sync::Arc;
use std::time::Duration;

use crate::clock::Timestamp;
use crate::dispatch::UnderWay;
use crate::dispatch::door::{Accepted, Delivery, Refusal};
use crate::dispatch::double_check::Part;
use crate::dispatch::effects::Effects;
use crate::dispatch::kept::{Kept, Trial};
use crate::dispatch::resident::{Resident, SUSPENDED_FOR};
use crate::dispatch::suspended::Suspended;
use crate::history::{Event, EventKind};
use crate::ids::{ExecutionId, InstanceId, MessageId};
use crate::limits::Limits;
use crate::message::Message;
use crate::metadata;
use crate::observe::{TurnNotes, turn_span};
use crate::payload::CodecError;
use crate::providers::{LeasedTurn, TransactionOp};
use crate::registry::Registry;
use crate::replay::Execution;

/// How many generations of continue-as-new one turn may run through.
const GENERATIONS_MAX: usize = 8;

/// What is the same for all turns of a runtime.
#[derive(Clone)]
pub(super) struct Rules {
    pub(super) registry: Arc<Registry>,
    pub(super) limits: Limits,
    /// How far activities have come.
    pub(super) under_way: Arc<UnderWay>,
    /// What cannot go on here.
    pub(super) suspended: Arc<Suspended>,
    /// Whether another process may know what this one does not.
    pub(super) shared: bool,
    /// Whether what a turn added is to be gone over twice.
    pub(super) double_check: bool,
}

impl Rules {
    /// What there is, if nobody else runs anything of this store.
    fn alone(&self) -> Option<Arc<Registry>> {
        (!self.shared).then(|| Arc::clone(&self.registry))
    }
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
    /// What is to be counted once it is kept.
    pub(super) notes: TurnNotes,
    /// Nothing of what was stored could be taken, though the store knows what the instance needs.
    pub(super) unfit: bool,
}

impl Planned {
    /// The store would hand it out again at once, and nothing would come of it: it is held back instead.
    pub(super) fn hold_back(&mut self) {
        if let Some(TransactionOp::ReleaseLock { delay, .. }) = self.ops.last_mut() {
            *delay = Some(SUSPENDED_FOR);
        }
    }

    /// Nothing was run: the lease is given back, and the messages are not counted.
    pub(super) fn given_back() -> Self {
        Self {
            ops: vec![TransactionOp::ReleaseLock { delay: None, give_back_attempt: true }],
            resident: Resident::Absent,
            kept: Kept::default(),
            answers: Vec::new(),
            deferred: Vec::new(),
            unwanted: Vec::new(),
            notes: TurnNotes::default(),
            unfit: false,
        }
    }
}

/// Where a message came from.
enum Source {
    /// The queue of the instance.
    Stored(MessageId),
    /// A sender that waits.
    Hand(Box<Delivery>),
    /// The turn itself.
    Local,
}

/// A turn that has taken its messages, and is not over yet.
pub(super) struct Turn {
    rules: Arc<Rules>,
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
    /// Whether one of them cannot be read.
    unreadable: bool,
    parts: Vec<Part>,
    notes: TurnNotes,
    /// In which the code runs.
    span: tracing::Span,
    /// How long the oldest message has waited.
    waited: Duration,
}

/// Begins the turn of an instance: runs its code over all messages. If a message cannot be read, or an event not be
/// written, the instance is suspended.
pub(super) fn begin(
    rules: &Arc<Rules>,
    leased: &LeasedTurn,
    resident: Resident,
    kept: Kept,
    deliveries: Vec<Delivery>,
) -> Turn {
    let span = turn_span(leased, resident.identity().map(AsRef::as_ref));
    let _inside = span.clone().entered();
    let mut turn = Turn {
        rules: Arc::clone(rules),
        instance: leased.instance.clone(),
        // The clock of the store is the only one: what is due, and what the code is told.
        now: Timestamp::from_millis(leased.lock_token.granted_at_ms),
        resident,
        kept,
        effects: Effects::new(leased.instance.clone(), leased.lock_token.fence, rules.alone()),
        acked: Vec::new(),
        answers: Vec::new(),
        deferred: Vec::new(),
        generations: 0,
        left: 0,
        unreadable: false,
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
    turn
}

impl Turn {
    /// Stored messages first, then those in hand; but a start comes before what waits for it.
    fn in_order(&mut self, leased: &LeasedTurn, deliveries: Vec<Delivery>) -> Vec<(Message, Source)> {
        let mut messages = Vec::with_capacity(leased.messages.len() + deliveries.len());
        for stored in &leased.messages {
            match Message::decode(&stored.data) {
                Ok(message) => messages.push((message, Source::Stored(stored.id.clone()))),
                Err(error) => {
                    self.unreadable = true;
                    self.resident.suspend(format!("message `{}` cannot be read: {error}", stored.id));
                }
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

    /// What this runtime cannot run is not handed to it again: the store is told what is needed, unless it knows.
    fn note_needs(&mut self) {
        if let Resident::Suspended { needs: Some(needs), execution_id, .. } = &self.resident
            && *execution_id >= ExecutionId::FIRST
            && self.kept.needs.as_ref() != Some(needs)
        {
            self.effects.set_labels(vec![(metadata::NEEDS_LABEL.to_owned(), Some(needs.clone()))]);
        }
    }

    /// What the code did since the last call, to be gone over twice.
    pub(super) fn take_parts(&mut self) -> Vec<Part> {
        std::mem::take(&mut self.parts)
    }

    /// Whether it was in vain to hand it out here, and would be once more.
    fn is_unfit(&self) -> bool {
        let Resident::Suspended { needs: Some(needs), execution_id, .. } = &self.resident else { return false };
        let known = *execution_id < ExecutionId::FIRST || self.kept.needs.as_ref() == Some(needs);
        known && self.acked.is_empty()
    }

    /// How long what stays in its queue is held back. What only this process cannot run is there for others at once.
    fn delay(&self) -> Option<Duration> {
        let fit = !self.unreadable && matches!(self.resident, Resident::Suspended { needs: None, .. });
        let only_here = self.rules.shared && fit;
        if only_here && self.rules.suspended.leave_alone(&self.instance) {
            return None;
        }
        self.resident.delay(self.waited, self.left > 0)
    }

    /// It is over.
    pub(super) fn finish(mut self) -> Planned {
        if std::mem::take(&mut self.kept.trial) == Trial::Begun {
            self.effects.put_metadata(metadata::trial(false));
        }
        self.note_needs();
        let (delay, unfit) = (self.delay(), self.is_unfit());
        let unwanted = self.effects.cancelled_activities().to_vec();
        if !self.acked.is_empty() {
            let (instance, messages) = (self.instance.clone(), self.acked);
            self.effects.push(TransactionOp::AckMessages { instance, messages });
        }
        self.effects.push(TransactionOp::ReleaseLock {
            delay,
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
            notes: self.notes,
            unfit,
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
