//! What a provider hands over.

use std::collections::BTreeMap;
use std::time::Duration;

use bytes::Bytes;

use super::{OwnerId, Queue};
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

/// An instance that is ready, and not taken by a worker because of what it needs.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct PassedOver {
    /// The instance.
    pub instance: InstanceId,
    /// How long it has been ready.
    pub waited: Duration,
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

/// A page of the keys and values of an instance that is wanted.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct KvPageRequest {
    /// Only keys that begin so.
    pub prefix: String,
    /// Only keys after this one: the last of the page before.
    pub after: Option<String>,
    /// At most so many.
    pub limit: usize,
}

/// Some keys and values of an instance, ordered by the bytes of the key.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct KvPage {
    /// Keys and values.
    pub entries: Vec<(String, Bytes)>,
    /// What to ask for the next page with; `None` if this was the last.
    pub next: Option<String>,
}

/// An execution that is kept.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct ExecutionInfo {
    /// The execution.
    pub execution_id: ExecutionId,
    /// How many events it has.
    pub history_len: u64,
}

/// What waits in the queues of an instance, and who has it.
#[derive(Debug, Clone, Default)]
pub struct InstanceMessages {
    /// The lease on the instance itself that is out.
    pub lease: Option<LeaseHolder>,
    /// Why nothing of it is handed out: the record that is damaged. Others go on; deleting the instance ends it.
    pub parked: Option<String>,
    /// Messages for turns first, then activities; each by the time from which they are visible, then by arrival.
    pub messages: Vec<WaitingMessage>,
}

/// A message that waits, or is leased.
#[derive(Debug, Clone)]
pub struct WaitingMessage {
    /// Where it waits.
    pub queue: Queue,
    /// Its name there.
    pub id: MessageId,
    /// The execution it belongs to.
    pub execution_id: ExecutionId,
    /// What kind of worker it needs.
    pub topic: String,
    /// Which workers may take it.
    pub tag: Option<String>,
    /// The session it belongs to.
    pub session: Option<String>,
    /// Since when, or from when on, it is visible.
    pub visible_at: Timestamp,
    /// How often it was handed out.
    pub attempt: u32,
    /// Who has it.
    pub lease: Option<LeaseHolder>,
    /// What it says.
    pub data: Bytes,
}

/// Who has something until when.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct LeaseHolder {
    /// Who.
    pub owner: OwnerId,
    /// Until then, by the clock of the store, unless it is renewed.
    pub until: Timestamp,
    /// The lease.
    pub lock_token: LockToken,
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
    /// Whether the instances take turns where activities wait; if not, it is first in, first out over all of them.
    pub takes_turns: bool,
}

impl Capabilities {
    /// What a store called `name` promises at least: nothing outlives it, one process at a time.
    pub const fn new(name: &'static str) -> Self {
        Self { name, persistent: false, shared: false, durability: Durability::None, takes_turns: false }
    }

    /// It outlives the process, this well.
    #[must_use]
    pub const fn persistent(mut self, durability: Durability) -> Self {
        self.persistent = true;
        self.durability = durability;
        self
    }

    /// Activities are handed out to the instances by turns: the next one goes to the instance that has waited for its
    /// turn the longest, counted in activities handed out since its first waits or it had one. So an instance with
    /// thousands keeps no other waiting. Within an instance, those of one topic, tag and session are first in, first out.
    #[must_use]
    pub const fn takes_turns(mut self) -> Self {
        self.takes_turns = true;
        self
    }

    /// Several processes may use it at once.
    #[must_use]
    pub const fn shared(mut self) -> Self {
        self.shared = true;
        self
    }
}
