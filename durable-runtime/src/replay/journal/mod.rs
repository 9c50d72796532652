//! What one execution knows between and during polls: the state behind its context and its durable futures.

mod code;
mod open;
mod recorded;

use std::collections::{BTreeMap, VecDeque};
use std::sync::Arc;

pub(crate) use self::open::Open;
use super::kept::{Found, Kv, Labels};
use super::mailbox::{Arrival, Delivery, Mailbox};
use super::unwinding::{Cancelling, Cleanups};
use crate::clock::Timestamp;
use crate::history::{Carried, EventKind, Failure};
use crate::ids::{CommandId, EventId, ExecutionId, InstanceId};
use crate::limits::Limits;
use crate::payload::Payload;

/// How many keys of events an execution hands on to the next.
const EVENT_KEYS_CARRIED: usize = 256;

/// What does not change during an execution.
#[derive(Debug, Clone)]
pub(crate) struct Facts {
    pub(crate) instance: InstanceId,
    pub(crate) execution_id: ExecutionId,
    pub(crate) limits: Limits,
}

/// What a replay finds at its place.
#[derive(Debug, Clone)]
pub(crate) enum Recorded {
    Value(Payload),
    Found(Found),
    Patched(String),
}

/// What the code set and took away.
#[derive(Debug, Default)]
pub(crate) struct Changes {
    pub(crate) kv: BTreeMap<String, Option<Payload>>,
    pub(crate) labels: BTreeMap<String, Option<String>>,
}

/// What a command came back with.
#[derive(Debug, Clone)]
pub(crate) enum Resolution {
    Output(Payload),
    Failure(Failure),
    Fired,
    Event { name: String, arrival: Arrival, value: Payload },
}
struct Settled {
    at: EventId,
    resolution: Resolution,
}

/// The state behind a context. Everything in it follows from the events fed so far and the code.
pub(crate) struct Journal {
    pub(crate) facts: Facts,
    /// How many instances stand above it.
    pub(crate) depth: u32,
    position: EventId,
    /// How long the payloads in the history are together.
    pub(crate) history_bytes: usize,
    now: Timestamp,
    replaying: bool,
    commands: u64,
    draws: u64,
    given: Vec<EventKind>,
    cancelled: Vec<(CommandId, Open)>,
    returned: Vec<(CommandId, Open)>,
    recorded: VecDeque<Recorded>,
    open: BTreeMap<CommandId, Open>,
    /// Detached children that do not outlive the execution.
    dependents: Vec<(CommandId, Open)>,
    settled: BTreeMap<CommandId, Settled>,
    mailbox: Mailbox,
    patches: BTreeMap<String, bool>,
    /// The keys of the events that came, in order.
    event_keys: Vec<String>,
    kv: Kv,
    /// What the store has by key. Only what this execution has not set is read from it.
    pub(crate) stored: Arc<BTreeMap<String, Payload>>,
    pub(crate) labels: Labels,
    /// What is to be undone if it does not end well.
    pub(crate) cleanups: Cleanups,
    /// Who asked for its end, and what holds that off.
    pub(crate) cancelling: Cancelling,
    end: Option<EventKind>,
    moved: bool,
    silent: bool,
    custom_status: Option<Payload>,
}

impl Journal {
    pub(crate) fn new(facts: Facts) -> Self {
        Self {
            facts,
            depth: 0,
            position: EventId(0),
            history_bytes: 0,
            now: Timestamp::EPOCH,
            replaying: false,
            commands: 0,
            draws: 0,
            given: Vec::new(),
            cancelled: Vec::new(),
            returned: Vec::new(),
            recorded: VecDeque::new(),
            open: BTreeMap::new(),
            dependents: Vec::new(),
            settled: BTreeMap::new(),
            mailbox: Mailbox::default(),
            patches: BTreeMap::new(),
            event_keys: Vec::new(),
            kv: Kv::default(),
            stored: Arc::default(),
            labels: Labels::default(),
            cleanups: Cleanups::default(),
            cancelling: Cancelling::default(),
            end: None,
            moved: false,
            silent: false,
            custom_status: None,
        }
    }

    /// The next event is this one.
    pub(crate) fn enter(&mut self, position: EventId, now: Timestamp, replaying: bool, recorded: VecDeque<Recorded>) {
        self.position = position;
        // A clock that was set back must not make time run backwards for the code.
        self.now = self.now.max(now);
        self.replaying = replaying;
        self.recorded = recorded;
    }

    /// Whether the event can change anything: what it completes is open, or it completes nothing.
    pub(crate) fn accepts(&self, kind: &EventKind) -> bool {
        match kind {
            EventKind::CancelRequested { .. } => !self.cancelling.is_requested(),
            EventKind::EventRaised { key: Some(key), .. } => !self.event_keys.contains(key),
            _ => kind.completes().is_none_or(|command| self.open.contains_key(&command)),
        }
    }

    /// Takes in what the event brings.
    pub(crate) fn resolve(&mut self, kind: &EventKind) {
        match kind {
            EventKind::Started(started) => {
                self.depth = started.parent.as_ref().map_or(0, |parent| parent.depth);
                self.kv.begin(started.kv);
                self.labels.begin(started.labels.clone());
                self.event_keys.extend(started.event_keys.iter().cloned());
                self.deliver_all(&started.carried);
            }
            EventKind::EventRaised { name, value, key } => {
                self.event_keys.extend(key.clone());
                self.deliver(name, 0, value);
            }
            EventKind::ActivityCompleted { command, output, .. } | EventKind::ChildCompleted { command, output } => {
                self.settle(*command, Resolution::Output(output.clone()));
            }
            EventKind::ActivityFailed { command, failure, .. } | EventKind::ChildFailed { command, failure } => {
                self.settle(*command, Resolution::Failure(failure.clone()));
            }
            EventKind::TimerFired { command } => self.settle(*command, Resolution::Fired),
            EventKind::CancelRequested { reason } => self.cancelling.request(self.position, reason),
            EventKind::DeadlineReached { message } => self.cancelling.reach_deadline(message),
            _ => {}
        }
    }

    /// The commands given since the last call.
    pub(crate) fn take_given(&mut self) -> Vec<EventKind> {
        std::mem::take(&mut self.given)
    }

    /// What was cancelled since the last call.
    pub(crate) fn take_cancelled(&mut self) -> Vec<(CommandId, Open)> {
        std::mem::take(&mut self.cancelled)
    }

    /// What came back since the last call, except for events.
    pub(crate) fn take_returned(&mut self) -> Vec<(CommandId, Open)> {
        std::mem::take(&mut self.returned)
    }

    /// Whether something became ready while the code ran, so that it must be polled once more.
    pub(crate) fn take_moved(&mut self) -> bool {
        std::mem::take(&mut self.moved)
    }

    pub(crate) fn end(&self) -> Option<&EventKind> {
        self.end.as_ref()
    }

    /// The first end stands.
    pub(crate) fn finish(&mut self, end: EventKind) {
        self.end.get_or_insert(end);
    }

    /// What is open, and what ends with the execution.
    pub(crate) fn open(&self) -> Vec<(CommandId, Open)> {
        let open = self.open.iter().map(|(command, open)| (*command, open.clone()));
        open.chain(self.dependents.iter().cloned()).collect()
    }

    /// Whether the code waits, but for nothing that an event could bring.
    pub(crate) fn is_stuck(&self) -> bool {
        self.end.is_none() && self.open.is_empty() && !self.cancelling.is_waited_for()
    }

    /// What has not come back.
    pub(crate) fn open_commands(&self) -> Vec<CommandId> {
        self.open.keys().copied().collect()
    }

    /// Whether dropped futures leave no trace: they are dropped by the engine, not by the code.
    pub(crate) fn silence(&mut self, silent: bool) {
        self.silent = silent;
    }

    /// Cancels everything open, in the order in which it was asked for. Events that were given to a wait that did not
    /// look are there again for the next.
    pub(crate) fn cancel_open(&mut self) {
        for (command, open) in std::mem::take(&mut self.open) {
            self.cancel(command, open);
        }
        for settled in std::mem::take(&mut self.settled).into_values() {
            if let Resolution::Event { name, arrival, value } = settled.resolution {
                self.mailbox.put(&name, arrival, value);
            }
        }
    }

    /// The execution has ended, and with it what does not outlive it.
    pub(crate) fn end_dependents(&mut self) {
        self.cancelled.append(&mut self.dependents);
    }

    /// Whether an event of this name and length would be one too many.
    pub(crate) fn is_full(&self, name: &str, bytes: usize) -> bool {
        let limits = &self.facts.limits;
        let too_many = self.mailbox.len() >= limits.buffered_events_max;
        let too_long = self.mailbox.bytes() + bytes > limits.buffered_event_bytes_max;
        (too_many || too_long) && !self.mailbox.is_awaited(name)
    }

    /// The newest keys of events, for the next execution.
    pub(crate) fn newest_event_keys(&self) -> Vec<String> {
        let from = self.event_keys.len().saturating_sub(EVENT_KEYS_CARRIED);
        self.event_keys.iter().skip(from).cloned().collect()
    }

    pub(crate) fn leftover_events(&self) -> Vec<Carried> {
        self.mailbox.leftover()
    }

    pub(crate) fn take_custom_status(&mut self) -> Option<Payload> {
        self.custom_status.take()
    }

    fn deliver_all(&mut self, carried: &[Carried]) {
        for (index, event) in carried.iter().enumerate() {
            self.deliver(&event.name, index, &event.value);
        }
    }

    fn deliver(&mut self, name: &str, index: usize, value: &Payload) {
        let delivery = self.mailbox.put(name, (self.position, index), value.clone());
        self.take_delivery(name, delivery);
        if self.mailbox.len() > self.facts.limits.buffered_events_max {
            let message = format!("more than {} events wait to be taken", self.facts.limits.buffered_events_max);
            self.finish(EventKind::Failed { failure: Failure::LimitReached { message } });
        }
    }

    fn take_delivery(&mut self, name: &str, delivery: Option<Delivery>) {
        if let Some(Delivery { command, arrival, value }) = delivery {
            self.open.remove(&command);
            let resolution = Resolution::Event { name: name.to_owned(), arrival, value };
            self.settled.insert(command, Settled { at: arrival.0, resolution });
            self.moved = true;
        }
    }

    fn settle(&mut self, command: CommandId, resolution: Resolution) {
        if let Some(open) = self.open.remove(&command) {
            self.returned.push((command, open));
            self.settled.insert(command, Settled { at: self.position, resolution });
        }
    }
}
