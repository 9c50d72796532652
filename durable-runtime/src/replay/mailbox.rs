//! Events from outside: kept by name until somebody waits for them, in the order in which they came.

use std::collections::{BTreeMap, VecDeque};

use crate::history::Carried;
use crate::ids::{CommandId, EventId};
use crate::payload::Payload;

/// Where an event came in: the event that brought it, and its place among those that one event brought.
pub(crate) type Arrival = (EventId, usize);

/// What came in and was not taken, and who waits.
#[derive(Default)]
pub(crate) struct Mailbox {
    boxes: BTreeMap<String, Inbox>,
    count: usize,
    bytes: usize,
}

#[derive(Default)]
struct Inbox {
    values: BTreeMap<Arrival, Payload>,
    waits: VecDeque<CommandId>,
}

/// A value and the wait that it is for.
pub(crate) struct Delivery {
    pub(crate) command: CommandId,
    pub(crate) arrival: Arrival,
    pub(crate) value: Payload,
}

impl Mailbox {
    /// Keeps a value; gives it to the longest wait, if there is one.
    pub(crate) fn put(&mut self, name: &str, arrival: Arrival, value: Payload) -> Option<Delivery> {
        let inbox = self.boxes.entry(name.to_owned()).or_default();
        (self.count, self.bytes) = (self.count + 1, self.bytes + value.len());
        inbox.values.insert(arrival, value);
        let delivery = inbox.deliver();
        self.count(delivery)
    }

    /// Waits; gives the oldest value, if there is one.
    pub(crate) fn wait(&mut self, name: &str, command: CommandId) -> Option<Delivery> {
        let inbox = self.boxes.entry(name.to_owned()).or_default();
        inbox.waits.push_back(command);
        let delivery = inbox.deliver();
        self.count(delivery)
    }

    /// Waits once more, before all others: what was given did not fit.
    pub(crate) fn wait_again(&mut self, name: &str, command: CommandId) -> Option<Delivery> {
        let inbox = self.boxes.entry(name.to_owned()).or_default();
        inbox.waits.push_front(command);
        let delivery = inbox.deliver();
        self.count(delivery)
    }

    /// Waits no more.
    pub(crate) fn forget(&mut self, name: &str, command: CommandId) {
        if let Some(inbox) = self.boxes.get_mut(name) {
            inbox.waits.retain(|waiting| *waiting != command);
        }
    }

    /// Takes the oldest value, if there is one.
    pub(crate) fn take(&mut self, name: &str) -> Option<Payload> {
        let (_, value) = self.boxes.get_mut(name)?.values.pop_first()?;
        (self.count, self.bytes) = (self.count - 1, self.bytes - value.len());
        Some(value)
    }

    /// Where the oldest value came in.
    pub(crate) fn oldest(&self, name: &str) -> Option<EventId> {
        let (arrival, _) = self.boxes.get(name)?.values.first_key_value()?;
        Some(arrival.0)
    }

    /// All that nobody took, in the order in which it came.
    pub(crate) fn leftover(&self) -> Vec<Carried> {
        let mut all: Vec<_> = (self.boxes.iter())
            .flat_map(|(name, inbox)| inbox.values.iter().map(move |(arrival, value)| (*arrival, name, value)))
            .collect();
        all.sort_by_key(|(arrival, ..)| *arrival);
        all.into_iter().map(|(_, name, value)| Carried { name: name.clone(), value: value.clone() }).collect()
    }

    /// How many values nobody took.
    pub(crate) fn len(&self) -> usize {
        self.count
    }

    /// How long they are together.
    pub(crate) fn bytes(&self) -> usize {
        self.bytes
    }

    /// Whether a value of this name would be taken at once.
    pub(crate) fn is_awaited(&self, name: &str) -> bool {
        self.boxes.get(name).is_some_and(|inbox| !inbox.waits.is_empty())
    }

    /// What is delivered does not wait any more.
    fn count(&mut self, delivery: Option<Delivery>) -> Option<Delivery> {
        if let Some(delivery) = &delivery {
            (self.count, self.bytes) = (self.count - 1, self.bytes - delivery.value.len());
        }
        delivery
    }
}

impl Inbox {
    fn deliver(&mut self) -> Option<Delivery> {
        if self.waits.is_empty() {
            return None;
        }
        let (arrival, value) = self.values.pop_first()?;
        let command = self.waits.pop_front()?;
        Some(Delivery { command, arrival, value })
    }
}
