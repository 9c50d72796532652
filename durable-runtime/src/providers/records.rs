//! What a provider hands over.

use std::collections::BTreeMap;
use std::time::Duration;

use bytes::Bytes;

use crate::clock::Timestamp;
use crate::ids::{EventId, ExecutionId, InstanceId, LockToken, MessageId};

/// A lease on an instance, and what waits for it.
#[derive(Debug, Clone)]
pub struct LeasedTurn {
    /// The instance.
    pub instance: InstanceId,
    /// Its newest execution; 1 if the instance does not exist yet.
    pub execution_id: ExecutionId,
    /// Whether that execution has no event yet.
    pub is_new_execution: bool,
    /// How many events that execution has.
    pub history_len: u64,
    /// The visible messages: by the time they became visible, then by arrival.
    pub messages: Vec<LeasedMessage>,
    /// How often these messages were handed out, this time included.
    pub attempt: u32,
    /// The lease.
    pub lock_token: LockToken,
}

/// A message as it waits in a queue of turns.
#[derive(Debug, Clone)]
pub struct LeasedMessage {
    /// Its name in the queue.
    pub id: MessageId,
    /// Since when it is visible.
    pub visible_at: Timestamp,
    /// What it says.
    pub data: Bytes,
}

/// A lease on one activity message.
#[derive(Debug, Clone)]
pub struct LeasedActivity {
    /// The instance that asked for it.
    pub instance: InstanceId,
    /// Its name in the queue.
    pub id: MessageId,
    /// What it says.
    pub data: Bytes,
    /// How often it was handed out, this time included, as far as this store remembers.
    pub attempt: u32,
    /// The lease.
    pub lock_token: LockToken,
}

/// An event of a history.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct StoredEvent {
    /// Where it stands.
    pub id: EventId,
    /// What it says.
    pub data: Bytes,
}

/// What is kept of an instance, besides histories and messages.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct InstanceRecord {
    /// The instance.
    pub instance: InstanceId,
    /// Its newest execution.
    pub execution_id: ExecutionId,
    /// 1 when created, larger with every transaction that changes this record.
    pub revision: u64,
    /// Values by key. Opaque.
    pub metadata: BTreeMap<String, Bytes>,
    /// What it can be found by.
    pub labels: BTreeMap<String, String>,
}

/// Which instances to list.
#[derive(Debug, Clone, Default)]
pub struct PageRequest {
    /// Only those with all of these labels.
    pub labels: Vec<(String, String)>,
    /// Only those whose id comes after this one: the last of the page before.
    pub after: Option<InstanceId>,
    /// At most so many.
    pub limit: usize,
}

/// Some instances, ordered by id.
#[derive(Debug, Clone, Default)]
pub struct InstancePage {
    /// The instances.
    pub instances: Vec<InstanceRecord>,
    /// What to ask for the next page with; `None` if this was the last.
    pub next: Option<InstanceId>,
}

/// What became of a lease that was to be renewed.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Renewal {
    /// It lasts until then, by the clock of the store.
    Until(Timestamp),
    /// It has ended or passed to another; what it was for may have been cancelled.
    Lost,
}

/// How much is kept and how much waits.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
#[non_exhaustive]
pub struct Stats {
    /// Instances kept.
    pub instances: u64,
    /// Messages in queues of turns, visible or not.
    pub turn_messages: u64,
    /// Activities in queues, visible or not, leased ones included.
    pub activities: u64,
    /// Leases on instances that are out.
    pub turns_leased: u64,
    /// Leases on activities that are out.
    pub activities_leased: u64,
}

/// When a transaction counts as kept.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
#[non_exhaustive]
pub enum Durability {
    /// When the disk has it. A power cut loses nothing that was acknowledged.
    #[default]
    Immediate,
    /// At once; the disk gets it after this much time at the latest. A power cut may lose the last interval **and,
    /// with sled, the store**: for a machine with a battery, or with backups.
    Interval(Duration),
    /// At once; the disk gets it when the store sees fit. As [`Durability::Interval`], without an interval.
    None,
}

/// What a store can do and promises.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
#[non_exhaustive]
pub struct Capabilities {
    /// What it is called: `memory`, `sled` …
    pub name: &'static str,
    /// Whether anything outlives the process.
    pub persistent: bool,
    /// Whether several processes may use it at once.
    pub shared: bool,
    /// When a transaction counts as kept.
    pub durability: Durability,
}

impl Capabilities {
    /// What a store called `name` promises at least: nothing outlives it, one process at a time.
    pub const fn new(name: &'static str) -> Self {
        Self { name, persistent: false, shared: false, durability: Durability::None }
    }

    /// It outlives the process, this well.
    #[must_use]
    pub const fn persistent(mut self, durability: Durability) -> Self {
        self.persistent = true;
        self.durability = durability;
        self
    }

    /// Several processes may use it at once.
    #[must_use]
    pub const fn shared(mut self) -> Self {
        self.shared = true;
        self
    }
}
