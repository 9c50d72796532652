//! What one execution knows between and during polls: the state behind its context and its durable futures.

use std::collections::{BTreeMap, VecDeque};
use std::sync::Arc;

use uuid::Uuid;

use super::kept::{Found, Full, Kv, Labels};
use super::mailbox::{Arrival, Delivery, Mailbox};
use super::unwinding::{Cancelling, Cleanups};
use crate::clock::Timestamp;
use crate::history::{Carried, ClosePolicy, Event, EventKind, Failure, Place};
use crate::ids::{CommandId, EventId, ExecutionId, InstanceId};
use crate::limits::Limits;
use crate::payload::Payload;

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

/// What a command is that has not come back.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) enum Open {
    /// Which of its limits are watched by a message.
    Activity {
        schedule_to_start: bool,
        schedule_to_close: bool,
    },
    Timer,
    Child {
        instance: InstanceId,
        on_close: ClosePolicy,
    },
    /// A detached child that does not outlive the execution. Nothing comes back for it.
    Dependent {
        instance: InstanceId,
        on_close: ClosePolicy,
    },
    Event {
        name: String,
    },
}

impl Open {
    /// What a history has asked for and not heard of, without running any code.
    pub(crate) fn in_history(history: &[Event]) -> Vec<(CommandId, Self)> {
        let mut open = BTreeMap::new();
        for Event { kind, .. } in history {
            let done = kind.completes().or(if let EventKind::CommandCancelled { command } = kind {
                Some(*command)
            } else {
                None
            });
            if let Some(command) = done {
                open.remove(&command);
            }
            if let Some((command, asked)) = Self::of(kind) {
                open.insert(command, asked);
            }
        }
        open.into_iter().collect()
    }

    fn of(kind: &EventKind) -> Option<(CommandId, Self)> {
        Some(match kind {
            EventKind::ActivityScheduled { command, settings, .. } => {
                let (start, close) = (settings.schedule_to_start.is_some(), settings.schedule_to_close.is_some());
                (*command, Self::Activity { schedule_to_start: start, schedule_to_close: close })
            }
            EventKind::TimerSet { command, .. } => (*command, Self::Timer),
            EventKind::ChildStarted { command, detached: false, instance, on_close, .. } => {
                (*command, Self::Child { instance: instance.clone(), on_close: *on_close })
            }
            EventKind::ChildStarted { command, instance, on_close, .. } if *on_close != ClosePolicy::Abandon => {
                (*command, Self::Dependent { instance: instance.clone(), on_close: *on_close })
            }
            EventKind::EventAwaited { command, name, .. } => (*command, Self::Event { name: name.clone() }),
            _ => return None,
        })
    }
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

    // What the core does with it.

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

    // What the code does with it, through its context and its futures.

    pub(crate) fn now(&self) -> Timestamp {
        self.now
    }

    pub(crate) fn position(&self) -> EventId {
        self.position
    }

    pub(crate) fn is_replaying(&self) -> bool {
        self.replaying
    }

    pub(crate) fn set_custom_status(&mut self, status: Payload) {
        self.custom_status = Some(status);
    }

    /// The id of the next command.
    pub(crate) fn next_command(&self) -> CommandId {
        CommandId(self.commands + 1)
    }

    /// Gives a command: `make` gets its id. What can come back for it stays open.
    pub(crate) fn give(&mut self, make: impl FnOnce(CommandId) -> EventKind) -> CommandId {
        let command = self.next_command();
        self.commands = command.0;
        let kind = make(command);
        if self.end.is_some() {
            return command;
        }
        match Open::of(&kind) {
            Some((_, open @ Open::Dependent { .. })) => self.dependents.push((command, open)),
            Some((_, open)) => {
                self.open.insert(command, open);
            }
            None => {}
        }
        self.check_open_limit();
        self.given.push(kind);
        command
    }

    /// Gives the command to wait for an event; takes the oldest one that is there.
    pub(crate) fn await_event(&mut self, name: &str, make: impl FnOnce(CommandId) -> EventKind) -> CommandId {
        let command = self.give(make);
        let delivery = self.mailbox.wait(name, command);
        self.take_delivery(name, delivery);
        command
    }

    /// The event that was given did not fit: waits for the next.
    pub(crate) fn await_event_again(&mut self, name: &str, command: CommandId) {
        self.open.insert(command, Open::Event { name: name.to_owned() });
        let delivery = self.mailbox.wait_again(name, command);
        self.take_delivery(name, delivery);
    }

    pub(crate) fn try_event(&mut self, name: &str) -> Option<Payload> {
        self.mailbox.take(name)
    }

    pub(crate) fn oldest_event(&self, name: &str) -> Option<EventId> {
        self.mailbox.oldest(name)
    }

    /// What the command came back with, once.
    pub(crate) fn take_resolution(&mut self, command: CommandId) -> Option<Resolution> {
        self.settled.remove(&command).map(|settled| settled.resolution)
    }

    /// At which event the command came back.
    pub(crate) fn settled_at(&self, command: CommandId) -> Option<EventId> {
        self.settled.get(&command).map(|settled| settled.at)
    }

    /// The future of the command was dropped.
    pub(crate) fn abandon(&mut self, command: CommandId) {
        if self.silent {
            return;
        }
        if let Some(Settled { resolution: Resolution::Event { name, arrival, value }, .. }) =
            self.settled.remove(&command)
        {
            // It was given to a wait that did not look: the next one gets it.
            let delivery = self.mailbox.put(&name, arrival, value);
            self.take_delivery(&name, delivery);
            return;
        }
        if let Some(open) = self.open.remove(&command) {
            self.cancel(command, open);
        }
    }

    fn cancel(&mut self, command: CommandId, open: Open) {
        if let Open::Event { name } = &open {
            self.mailbox.forget(name, command);
        }
        self.given.push(EventKind::CommandCancelled { command });
        self.cancelled.push((command, open));
    }

    /// The value that a replay finds at this place.
    pub(crate) fn recorded_value(&mut self) -> Option<Payload> {
        match self.next_recorded() {
            Some(Recorded::Value(value)) => Some(value),
            _ => None,
        }
    }

    /// What is recorded here. Patches that the code did not ask about are passed over.
    fn next_recorded(&mut self) -> Option<Recorded> {
        while let Some(Recorded::Patched(_)) = self.recorded.front() {
            self.recorded.pop_front();
        }
        self.recorded.pop_front()
    }

    /// Whether the changed way is to be taken: yes where nobody has been before. The first answer stands.
    pub(crate) fn patched(&mut self, id: &str) -> bool {
        if let Some(known) = self.patches.get(id) {
            return *known;
        }
        let here = |recorded: &&Recorded| matches!(recorded, Recorded::Patched(_));
        let mut recorded = self.recorded.iter().take_while(here);
        let is_patched =
            !self.replaying || recorded.any(|recorded| matches!(recorded, Recorded::Patched(known) if known == id));
        if is_patched && self.end.is_none() {
            self.given.push(EventKind::Patched { id: id.to_owned() });
        }
        self.patches.insert(id.to_owned(), is_patched);
        is_patched
    }

    pub(crate) fn kv_get(&mut self, key: &str, place: Place) -> Option<Payload> {
        self.look_at(key, true, place);
        self.kv.get(key)
    }

    pub(crate) fn kv_put(&mut self, key: &str, value: Option<Payload>, place: Place) -> Result<(), Full> {
        self.look_at(key, false, place);
        self.kv.put(key, value, &self.facts.limits)
    }

    /// Records what an earlier execution has left for a key, before this one does anything with it.
    fn look_at(&mut self, key: &str, for_value: bool, place: Place) {
        if !self.kv.is_unknown(key) {
            return;
        }
        let recorded = if self.replaying { self.next_recorded() } else { None };
        let found = match recorded {
            Some(Recorded::Found(found)) => found,
            _ => {
                let stored = self.stored.get(key);
                let bytes = stored.map(|value| value.len() as u64);
                Found { value: stored.filter(|_| for_value).cloned(), bytes }
            }
        };
        let (name, Found { value, bytes }) = (key.to_owned(), found.clone());
        self.give(|command| EventKind::KvRead { command, key: name, value, bytes, place });
        self.kv.learn(key, found);
    }

    /// What the code set and took away since the last call.
    pub(crate) fn take_kept(&mut self) -> Changes {
        Changes { kv: self.kv.take_changes(), labels: self.labels.take_changes() }
    }

    /// The next guid of this execution: RFC 9562 version 5 over its name and a counter, so that every replay, on
    /// every platform and with every version of this library, draws the same ones.
    pub(crate) fn draw(&mut self) -> Uuid {
        self.draws += 1;
        let name = format!("{}\n{}\n{}", self.facts.instance, self.facts.execution_id, self.draws);
        Uuid::new_v5(&DRAWS, name.as_bytes())
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

    fn check_open_limit(&mut self) {
        let most = self.facts.limits.open_commands_max;
        if self.open.len() + self.dependents.len() > most {
            let message = format!("more than {most} activities, timers, children and waits are open at once");
            self.finish(EventKind::Failed { failure: Failure::LimitReached { message } });
        }
    }
}

/// How many keys of events an execution hands on to the next.
const EVENT_KEYS_CARRIED: usize = 256;

/// The namespace of [`Journal::draw`]; changing it would change every replay.
const DRAWS: Uuid = Uuid::from_u128(0x6f1d_2a5c_91f4_4b0e_8d2b_3f5a_7c10_e9b7);
