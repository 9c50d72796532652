//! What the port says, as a value: ordered maps, no waiting, no disk, and the time is an argument.
//!
//! Tests hand the same calls to a [`Model`] and to a store and compare the answers; what differs is a mistake in one of
//! them. It shows what is meant, too, where words leave a doubt.

mod queues;
mod reads;
mod writes;

use std::collections::{BTreeMap, BTreeSet};
use std::time::Duration;

use bytes::Bytes;

use crate::clock::Timestamp;
use crate::ids::{ExecutionId, InstanceId, LockToken, MessageId};
use crate::providers::{CommitId, InstanceRecord, LeaseHolder, NewMessage, OwnerId};

/// A store of the port, as a value.
///
/// ```
/// use durable_runtime::testing::Model;
/// use durable_runtime::providers::{CommitId, Transaction, TransactionOp};
/// use durable_runtime::{ExecutionId, InstanceId, Timestamp};
///
/// let (mut model, now) = (Model::new(), Timestamp::EPOCH);
/// let instance = InstanceId::new("order-42").unwrap();
/// let create = TransactionOp::CreateExecution { instance: instance.clone(), execution_id: ExecutionId::FIRST };
/// let start = Transaction { fence: None, commit_id: CommitId(1), ops: vec![create] };
/// model.commit(&start, now).unwrap();
/// assert_eq!(model.instance(&instance).unwrap().execution_id, ExecutionId::FIRST);
/// ```
#[derive(Debug, Clone, Default)]
pub struct Model {
    instances: BTreeMap<InstanceId, Instance>,
    inboxes: BTreeMap<InstanceId, Inbox>,
    activities: BTreeMap<ActivityKey, Waiting>,
    leases: BTreeMap<u64, Lease>,
    sessions: BTreeMap<String, Session>,
    commits: BTreeSet<CommitId>,
    /// Of messages, in both queues.
    arrivals: u64,
    last_fence: u64,
    takes_turns: bool,
    /// How many activities were handed out.
    handed_out: u64,
    /// When an instance had its last turn in a lane, counted so.
    last_turns: BTreeMap<(LaneOf, InstanceId), u64>,
}

/// Topic, tag and session.
type LaneOf = (String, Option<String>, Option<String>);

type ActivityKey = (InstanceId, MessageId);
/// Since when a message is visible, then its number among all that arrived.
type Place = (Timestamp, u64);

#[derive(Debug, Clone)]
struct Instance {
    record: InstanceRecord,
    histories: BTreeMap<ExecutionId, Vec<Bytes>>,
    /// Keys and values.
    entries: BTreeMap<String, Bytes>,
}

/// The queue of turns of an instance. One that says nothing is not kept.
#[derive(Debug, Clone, Default)]
struct Inbox {
    messages: BTreeMap<MessageId, Waiting>,
    lease: Option<u64>,
    not_before: Timestamp,
}

#[derive(Debug, Clone)]
struct Waiting {
    message: NewMessage,
    place: Place,
    attempt: u32,
    /// For activities.
    lease: Option<u64>,
    /// For activities: how many had been handed out when it became free.
    freed_at: u64,
}

impl Waiting {
    fn lane(&self) -> LaneOf {
        (self.message.topic.clone(), self.message.tag.clone(), self.message.session.clone())
    }
}

#[derive(Debug, Clone)]
struct Lease {
    token: LockToken,
    on: Leased,
    owner: OwnerId,
    /// The messages that came with a turn.
    handed_out: Vec<MessageId>,
    expires: Timestamp,
}

impl Lease {
    fn holder(&self) -> LeaseHolder {
        LeaseHolder { owner: self.owner.clone(), until: self.expires, lock_token: self.token.clone() }
    }
}

/// Who holds a session, and how long from each use on.
#[derive(Debug, Clone)]
struct Session {
    owner: OwnerId,
    ttl: Duration,
    until: Timestamp,
}

#[derive(Debug, Clone, PartialEq, Eq)]
enum Leased {
    Turn,
    Activity(MessageId),
}

impl Model {
    /// An empty store.
    pub fn new() -> Self {
        Self::default()
    }

    /// An empty store whose instances take turns; see
    /// [`Capabilities::takes_turns`](crate::providers::Capabilities::takes_turns).
    pub fn that_takes_turns() -> Self {
        Self { takes_turns: true, ..Self::default() }
    }

    /// When something changes by time alone after `now`: a message comes due, or a lease or session ends.
    pub fn next_change(&self, now: Timestamp) -> Option<Timestamp> {
        let delayed = self.inboxes.values().map(|inbox| inbox.not_before);
        let turns = self.inboxes.values().flat_map(|inbox| inbox.messages.values()).map(|waiting| waiting.place.0);
        let activities = self.activities.values().map(|waiting| waiting.place.0);
        let leases = self.leases.values().map(|lease| lease.expires);
        let sessions = self.sessions.values().map(|session| session.until);
        let all = delayed.chain(turns).chain(activities).chain(leases).chain(sessions);
        all.filter(|moment| *moment > now).min()
    }

    /// The process ends and another begins: no lease and no session outlives it, nor does what delays held back.
    pub fn restart(&mut self) {
        self.sessions.clear();
        while let Some(fence) = self.leases.keys().next().copied() {
            self.end_lease(fence, Timestamp::EPOCH);
        }
        self.inboxes.values_mut().for_each(|inbox| inbox.not_before = Timestamp::EPOCH);
        self.last_turns.clear();
        self.activities.values_mut().for_each(|waiting| waiting.freed_at = self.handed_out);
    }

    fn expire(&mut self, now: Timestamp) {
        let ended: Vec<u64> =
            self.leases.iter().filter(|(_, lease)| lease.expires <= now).map(|(fence, _)| *fence).collect();
        ended.into_iter().for_each(|fence| self.end_lease(fence, Timestamp::EPOCH));
        self.sessions.retain(|_, session| session.until > now);
    }

    /// What was leased can be leased again; messages for turns not before `not_before`.
    fn end_lease(&mut self, fence: u64, not_before: Timestamp) {
        let Some(lease) = self.leases.remove(&fence) else { return };
        let instance = lease.token.instance;
        match lease.on {
            Leased::Turn => self.with_inbox(&instance, |inbox| {
                inbox.lease = None;
                inbox.not_before = not_before;
            }),
            Leased::Activity(id) => {
                if let Some(activity) = self.activities.get_mut(&(instance, id)) {
                    activity.lease = None;
                    activity.freed_at = self.handed_out;
                }
            }
        }
    }

    /// The lease of this very token, if it is still out.
    fn out(&self, token: &LockToken) -> Option<&Lease> {
        self.leases.get(&token.fence).filter(|lease| lease.token == *token)
    }

    fn with_inbox<T>(&mut self, instance: &InstanceId, change: impl FnOnce(&mut Inbox) -> T) -> T {
        let inbox = self.inboxes.entry(instance.clone()).or_default();
        let answer = change(inbox);
        if inbox.messages.is_empty() && inbox.lease.is_none() {
            self.inboxes.remove(instance);
        }
        answer
    }
}
