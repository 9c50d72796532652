//! One execution: its future, its journal, and the rule how events move them.

use std::cell::RefCell;
use std::collections::{BTreeMap, VecDeque};
use std::rc::Rc;
use std::sync::Arc;

use super::compare::{Difference, compare};
use super::current::{self, ExecutionKey};
use super::journal::{Changes, Facts, Journal, Open, Recorded};
use super::kept::Found;
use super::mismatch::{Mismatch, Step};
use super::panics;
use super::poll::{Polled, poll, stuck_failure};
use super::unwinding::Undo;
use crate::clock::Timestamp;
use crate::history::{Carried, Event, EventKind, Failure};
use crate::ids::{CommandId, EventId};
use crate::observe::silently;
use crate::orchestration::{BodyFuture, BodyOutcome, OrchestrationHandler};
use crate::payload::Payload;

/// A live execution, kept between turns. It belongs to the thread that made it.
pub(crate) struct Execution {
    key: ExecutionKey,
    handler: OrchestrationHandler,
    /// The body, or the cleanup that runs in its place.
    task: Option<BodyFuture>,
    unwinding: Option<Unwinding>,
    journal: Rc<RefCell<Journal>>,
    history_len: u64,
}

/// The body has ended or was dropped; its cleanups are run.
#[derive(Clone)]
struct Unwinding {
    /// The end that follows.
    end: EventKind,
    undo: Undo,
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
            task: None,
            unwinding: None,
            journal: Rc::new(RefCell::new(Journal::new(facts))),
            history_len: 0,
        }
    }

    /// What the store has by key.
    pub(crate) fn with_stored(self, kv: Arc<BTreeMap<String, Payload>>) -> Self {
        self.journal.borrow_mut().stored = kv;
        self
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
        let ends = matches!(kind, EventKind::CancelRequested { .. } | EventKind::DeadlineReached { .. });
        let ends_already = self.has_ended() || (ends && self.unwinding.is_some());
        !ends_already && self.journal.borrow().accepts(kind)
    }

    /// Whether an event of this name and length would be one too many.
    pub(crate) fn is_full(&self, name: &str, bytes: usize) -> bool {
        self.journal.borrow().is_full(name, bytes)
    }

    /// The newest keys of events, for the next execution.
    pub(crate) fn newest_event_keys(&self) -> Vec<String> {
        self.journal.borrow().newest_event_keys()
    }

    /// What it waits for.
    pub(crate) fn open(&self) -> Vec<(CommandId, Open)> {
        self.journal.borrow().open()
    }

    pub(crate) fn open_commands(&self) -> Vec<CommandId> {
        self.journal.borrow().open_commands()
    }

    pub(crate) fn leftover_events(&self) -> Vec<Carried> {
        self.journal.borrow().leftover_events()
    }

    /// What the code set and took away of values by key and of labels.
    pub(crate) fn take_kept(&self) -> Changes {
        self.journal.borrow_mut().take_kept()
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
        let values = commands.iter().filter_map(|event| recorded(&event.kind)).collect();
        let given = self.step(event, true, values);
        self.journal.borrow_mut().take_cancelled();
        self.journal.borrow_mut().take_kept();
        self.journal.borrow_mut().take_returned();
        self.history_len = event.id.0 + commands.len() as u64;
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

    /// Feeds one event and runs the code as far as it goes; answers with the commands given.
    fn step(&mut self, event: &Event, replaying: bool, recorded: VecDeque<Recorded>) -> Vec<EventKind> {
        {
            let mut journal = self.journal.borrow_mut();
            journal.enter(event.id, event.at, replaying, recorded);
            journal.resolve(&event.kind);
        }
        match &event.kind {
            EventKind::Started(started) => self.begin(&started.input.clone()),
            EventKind::Terminated { .. } | EventKind::Poisoned { .. } => self.finish(event.kind.clone()),
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
            Ok(body) => self.task = Some(body),
            Err(failure) => self.finish(EventKind::Failed { failure }),
        }
    }

    fn finish(&self, end: EventKind) {
        self.journal.borrow_mut().finish(end);
    }

    /// Polls until nothing moves.
    fn run(&mut self) {
        while !self.has_ended() {
            if let Some(end) = self.due_end() {
                self.drop_task(true);
                self.unwind(end, Undo::All);
            }
            let Some(task) = self.task.as_mut() else { return };
            self.journal.borrow_mut().take_moved();
            match current::enter(self.key, &self.journal, || poll(task)) {
                Polled::Ended(outcome) => self.task_ended(outcome),
                Polled::Pending if self.journal.borrow_mut().take_moved() || self.due_end().is_some() => {}
                Polled::Pending if self.journal.borrow().is_stuck() => self.task_ended(Err(stuck_failure())),
                Polled::Pending => return self.check_length(),
            }
        }
    }

    /// How the body is to end now, whatever it waits for.
    fn due_end(&self) -> Option<EventKind> {
        if self.unwinding.is_some() { None } else { self.journal.borrow().cancelling.due() }
    }

    /// The body, or a cleanup, is done.
    fn task_ended(&mut self, outcome: BodyOutcome) {
        self.drop_task(false);
        let Some(unwinding) = &mut self.unwinding else { return self.body_ended(outcome) };
        if let Err(failure) = outcome {
            // The others are run all the same; but that this one could not be is not to be overlooked.
            unwinding.end = EventKind::Failed { failure };
        }
        self.next_cleanup();
    }

    fn body_ended(&mut self, outcome: BodyOutcome) {
        let limits = self.journal.borrow().facts.limits;
        match outcome.map_err(|failure| failure.within(&limits)) {
            Ok(output) if output.len() > limits.payload_bytes_max => {
                let most = limits.payload_bytes_max;
                let message = format!("the output has {} bytes; at most {most} are kept", output.len());
                self.unwind(EventKind::Failed { failure: Failure::LimitReached { message } }, Undo::Sagas);
            }
            Ok(output) => self.finish(EventKind::Completed { output }),
            Err(failure) => self.unwind(EventKind::Failed { failure }, Undo::Sagas),
        }
    }

    /// Nothing of the body runs any more: what it waits for is cancelled, and what it has registered is run.
    fn unwind(&mut self, end: EventKind, undo: Undo) {
        self.journal.borrow_mut().cancel_open();
        self.unwinding = Some(Unwinding { end, undo });
        self.next_cleanup();
    }

    fn next_cleanup(&mut self) {
        let Some(Unwinding { end, undo }) = self.unwinding.clone() else { return };
        loop {
            let next = self.journal.borrow_mut().cleanups.pop(undo);
            match next {
                Some((true, cleanup)) => return self.task = Some(cleanup),
                Some((false, cleanup)) => self.let_go(cleanup),
                None => return self.finish(end),
            }
        }
    }

    fn check_length(&self) {
        let most = self.journal.borrow().facts.limits.history_events_max;
        if self.history_len >= most {
            let message = format!("the history has {most} events; let the orchestration continue as new before that");
            self.finish(EventKind::Failed { failure: Failure::LimitReached { message } });
        }
    }

    fn close_if_ended(&mut self) {
        if self.has_ended() {
            self.drop_task(true);
            self.drop_cleanups();
            self.journal.borrow_mut().cancel_open();
            self.journal.borrow_mut().end_dependents();
        }
    }

    fn drop_cleanups(&mut self) {
        let cleanups = self.journal.borrow_mut().cleanups.take_all();
        self.journal.borrow_mut().silence(true);
        cleanups.into_iter().for_each(|cleanup| self.let_go(cleanup));
        self.journal.borrow_mut().silence(false);
    }

    /// Drops what runs; by the code's own end its futures are cancelled one by one, by ours silently.
    fn drop_task(&mut self, silently: bool) {
        self.journal.borrow_mut().silence(silently);
        if let Some(task) = self.task.take() {
            self.let_go(task);
        }
        self.journal.borrow_mut().silence(false);
    }

    /// A panic in a user's `Drop` changes nothing any more: the outcome is decided.
    fn let_go(&self, task: BodyFuture) {
        let _ = current::enter(self.key, &self.journal, || panics::catch(|| drop(task)));
    }
}

impl Drop for Execution {
    /// Leaving memory is no decision of the code: nothing is cancelled by it.
    fn drop(&mut self) {
        self.drop_task(true);
        self.drop_cleanups();
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
