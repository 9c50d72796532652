//! One execution: its future, its journal, and the rule how events move them.

mod ending;
mod recorded;

use std::cell::RefCell;
use std::collections::{BTreeMap, VecDeque};
use std::rc::Rc;
use std::sync::Arc;

use super::current::{self, ExecutionKey};
use super::journal::{Changes, Facts, Journal, Open, Recorded};
use super::panics;
use super::poll::{Polled, poll, stuck_failure};
use super::unwinding::Undo;
use crate::clock::Timestamp;
use crate::history::{Carried, Event, EventKind};
use crate::ids::{CommandId, EventId};
use crate::orchestration::{BodyFuture, OrchestrationHandler};
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

    /// About how much memory it takes: its body, and at most the payloads of its history.
    pub(crate) fn weight(&self) -> usize {
        self.task.as_deref().map_or(0, std::mem::size_of_val) + self.journal.borrow().history_bytes
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
        journal.history_bytes += events.iter().skip(1).map(|event| event.kind.payload_bytes()).sum::<usize>();
        Applied { events, cancelled: journal.take_cancelled(), returned: journal.take_returned() }
    }
    /// Feeds one event and runs the code as far as it goes; answers with the commands given.
    fn step(&mut self, event: &Event, replaying: bool, recorded: VecDeque<Recorded>) -> Vec<EventKind> {
        {
            let mut journal = self.journal.borrow_mut();
            journal.enter(event.id, event.at, replaying, recorded);
            journal.history_bytes += event.kind.payload_bytes();
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
}
