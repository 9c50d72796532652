//! One execution: its future, its journal, and the rule how events move them.

use std::cell::RefCell;
use std::collections::VecDeque;
use std::rc::Rc;

use super::compare::{Difference, compare};
use super::current::{self, ExecutionKey};
use super::journal::{Facts, Journal, Open};
use super::mismatch::{Mismatch, Step};
use super::panics;
use super::poll::{Polled, poll, stuck_failure};
use crate::clock::Timestamp;
use crate::history::{Carried, Event, EventKind, Failure};
use crate::ids::{CommandId, EventId};
use crate::observe::silently;
use crate::orchestration::{BodyFuture, OrchestrationHandler};
use crate::payload::Payload;

/// A live execution, kept between turns. It belongs to the thread that made it.
pub(crate) struct Execution {
    key: ExecutionKey,
    handler: OrchestrationHandler,
    body: Option<BodyFuture>,
    journal: Rc<RefCell<Journal>>,
    history_len: u64,
}

/// What one event led to.
pub(crate) struct Applied {
    /// The event itself, and after it the commands and perhaps the end.
    pub(crate) events: Vec<Event>,
    /// What the code does not wait for any more.
    pub(crate) cancelled: Vec<(CommandId, Open)>,
    /// What the event brought back.
    pub(crate) returned: Vec<(CommandId, Open)>,
}

impl Execution {
    /// An execution without any event.
    pub(crate) fn new(facts: Facts, handler: OrchestrationHandler) -> Self {
        Self {
            key: ExecutionKey::fresh(),
            handler,
            body: None,
            journal: Rc::new(RefCell::new(Journal::new(facts))),
            history_len: 0,
        }
    }

    pub(crate) fn facts(&self) -> Facts {
        self.journal.borrow().facts.clone()
    }

    pub(crate) fn handler(&self) -> &OrchestrationHandler {
        &self.handler
    }

    pub(crate) fn history_len(&self) -> u64 {
        self.history_len
    }

    pub(crate) fn has_ended(&self) -> bool {
        self.journal.borrow().end().is_some()
    }

    /// Whether the event can change anything; a late completion of a cancelled command cannot.
    pub(crate) fn accepts(&self, kind: &EventKind) -> bool {
        !self.has_ended() && self.journal.borrow().accepts(kind)
    }

    pub(crate) fn leftover_events(&self) -> Vec<Carried> {
        self.journal.borrow().leftover_events()
    }

    pub(crate) fn take_custom_status(&self) -> Option<Payload> {
        self.journal.borrow_mut().take_custom_status()
    }

    /// Takes the next event, new in the history, and answers with all that has to be added to it.
    pub(crate) fn apply(&mut self, kind: EventKind, at: Timestamp) -> Applied {
        let event = Event { id: EventId(self.history_len + 1), at, kind };
        let given = self.step(&event, false, VecDeque::new());
        self.history_len = event.id.0;
        let at = event.at;
        let mut events = vec![event];
        for kind in given {
            self.history_len += 1;
            events.push(Event { id: EventId(self.history_len), at, kind });
        }
        let mut journal = self.journal.borrow_mut();
        Applied { events, cancelled: journal.take_cancelled(), returned: journal.take_returned() }
    }

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
        let values = commands.iter().filter_map(|event| recorded_value(&event.kind)).collect();
        let given = self.step(event, true, values);
        self.journal.borrow_mut().take_cancelled();
        self.journal.borrow_mut().take_returned();
        self.history_len = event.id.0 + commands.len() as u64;
        let longest = given.len().max(commands.len());
        for index in 0..longest {
            let (recorded, asked) = (commands.get(index).map(|event| &event.kind), given.get(index));
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

    /// Feeds one event and runs the code as far as it goes; answers with the commands given.
    fn step(&mut self, event: &Event, replaying: bool, recorded: VecDeque<Payload>) -> Vec<EventKind> {
        {
            let mut journal = self.journal.borrow_mut();
            journal.enter(event.id, event.at, replaying, recorded);
            journal.resolve(&event.kind);
        }
        match &event.kind {
            EventKind::Started(started) => self.begin(&started.input.clone()),
            EventKind::CancelRequested { reason } => self.finish(EventKind::Cancelled { reason: reason.clone() }),
            EventKind::Terminated { .. } => self.finish(event.kind.clone()),
            _ => {}
        }
        self.run();
        self.close_if_ended();
        let mut journal = self.journal.borrow_mut();
        let mut given = journal.take_given();
        match journal.end() {
            // The event is the end itself; nothing comes after it.
            Some(_) if event.kind.is_end() => given.clear(),
            Some(end) => given.push(end.clone()),
            None => {}
        }
        given
    }

    fn begin(&mut self, input: &Payload) {
        let context = crate::context::OrchestrationContext::new(self.key);
        let begun = current::enter(self.key, &self.journal, || panics::catch(|| (self.handler.begin)(context, input)));
        match begun.and_then(std::convert::identity) {
            Ok(body) => self.body = Some(body),
            Err(failure) => self.finish(EventKind::Failed { failure }),
        }
    }

    fn finish(&self, end: EventKind) {
        self.journal.borrow_mut().finish(end);
    }

    /// Polls until nothing moves.
    fn run(&mut self) {
        while let Some(body) = self.body.as_mut() {
            if self.journal.borrow().end().is_some() {
                return;
            }
            self.journal.borrow_mut().take_moved();
            match current::enter(self.key, &self.journal, || poll(body)) {
                Polled::Ended(outcome) => return self.end_with(outcome),
                Polled::Pending if self.journal.borrow_mut().take_moved() => {}
                Polled::Pending => return self.check_pending(),
            }
        }
    }

    fn end_with(&mut self, outcome: Result<Payload, Failure>) {
        self.drop_body(false);
        let most = self.journal.borrow().facts.limits.payload_bytes_max;
        let end = match outcome {
            Ok(output) if output.len() > most => {
                let message = format!("the output has {} bytes; at most {most} are kept", output.len());
                EventKind::Failed { failure: Failure::LimitReached { message } }
            }
            Ok(output) => EventKind::Completed { output },
            Err(failure) => EventKind::Failed { failure },
        };
        self.finish(end);
    }

    fn check_pending(&self) {
        let journal = self.journal.borrow();
        let stuck = journal.open_count() == 0 && journal.end().is_none();
        let most = journal.facts.limits.history_events_max;
        drop(journal);
        if stuck {
            self.finish(EventKind::Failed { failure: stuck_failure() });
        }
        if self.history_len >= most {
            let message = format!("the history has {most} events; let the orchestration continue as new before that");
            self.finish(EventKind::Failed { failure: Failure::LimitReached { message } });
        }
    }

    fn close_if_ended(&mut self) {
        if self.has_ended() {
            self.drop_body(true);
            self.journal.borrow_mut().cancel_open();
        }
    }

    /// Drops the body; by the code's own end its futures are cancelled one by one, by ours silently.
    fn drop_body(&mut self, silently: bool) {
        if silently {
            self.journal.borrow_mut().silence();
        }
        if let Some(body) = self.body.take() {
            // A panic in a user's `Drop` changes nothing any more: the outcome is decided.
            let _ = current::enter(self.key, &self.journal, || panics::catch(|| drop(body)));
        }
    }
}

impl Drop for Execution {
    /// Leaving memory is no decision of the code: nothing is cancelled by it.
    fn drop(&mut self) {
        self.drop_body(true);
    }
}

fn recorded_value(kind: &EventKind) -> Option<Payload> {
    match kind {
        EventKind::SideEffectRecorded { value, .. } => Some(value.clone()),
        _ => None,
    }
}
