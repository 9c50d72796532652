//! What transactions change before it is on disk: the keys to be written, and what that means for what is kept in
//! memory. A transaction drafts a layer over that of its group; when it is found good, the group absorbs it.

use std::collections::{BTreeMap, BTreeSet};

use super::heads::{Head, Heads};
use super::index::{Index, MessageKey, Queued};
use crate::clock::Timestamp;
use crate::ids::{ExecutionId, InstanceId};

/// See the module. In each map the last word wins.
#[derive(Debug, Default)]
pub(super) struct Layer {
    pub(super) writes: BTreeMap<Vec<u8>, Option<Vec<u8>>>,
    pub(super) heads: BTreeMap<InstanceId, Option<Head>>,
    /// History lengths of executions that are not the newest any more.
    pub(super) older: BTreeMap<(InstanceId, ExecutionId), u64>,
    pub(super) messages: BTreeMap<MessageKey, Option<Queued>>,
    /// Leases that end, and from when on what stays may be handed out again.
    pub(super) ended: BTreeMap<u64, Timestamp>,
    /// Leases whose messages were not counted.
    pub(super) given_back: BTreeSet<u64>,
    /// Leases that must not expire before this is on disk.
    pub(super) pinned: BTreeSet<u64>,
    /// Instances whose record changes.
    pub(super) changed: BTreeSet<InstanceId>,
    /// Instances of which anything changes.
    pub(super) touched: BTreeSet<InstanceId>,
    /// Instances of which everything is deleted, also what is damaged.
    pub(super) wiped: BTreeSet<InstanceId>,
    pub(super) created: u64,
    pub(super) deleted: u64,
    /// About how much the group gives the store to write.
    pub(super) bytes: usize,
}

/// What a key costs beside its bytes.
const KEY_BYTES: usize = 64;

impl Layer {
    /// Takes in a transaction that was found good.
    pub(super) fn absorb(&mut self, draft: Self) {
        let bytes =
            |(key, value): (&Vec<u8>, &Option<Vec<u8>>)| key.len() + value.as_ref().map_or(0, Vec::len) + KEY_BYTES;
        self.bytes += draft.writes.iter().map(bytes).sum::<usize>();
        // Not `BTreeMap::append`, which walks all of both maps: the group may be large, a draft seldom is.
        self.writes.extend(draft.writes);
        self.heads.extend(draft.heads);
        self.older.extend(draft.older);
        self.messages.extend(draft.messages);
        self.ended.extend(draft.ended);
        self.given_back.extend(draft.given_back);
        self.pinned.extend(draft.pinned);
        self.changed.extend(draft.changed);
        self.touched.extend(draft.touched);
        self.wiped.extend(draft.wiped);
        self.created += draft.created;
        self.deleted += draft.deleted;
    }

    /// Whether nothing is kept by this that was not kept before.
    pub(super) fn only_takes_away(&self) -> bool {
        self.writes.values().all(Option::is_none)
    }

    /// Keeps what this changes from being leased, or leased again, before it is on disk.
    pub(super) fn reserve(&self, index: &mut Index) {
        self.messages.keys().for_each(|key| index.hold(key));
        self.pinned.iter().for_each(|fence| index.pin(*fence));
    }

    /// Brings what is kept in memory in step with the disk, which has all of this now.
    pub(super) fn settle(self, index: &mut Index, heads: &Heads) {
        self.heads.iter().for_each(|(instance, head)| heads.put(instance, *head));
        for instance in &self.wiped {
            index.forgive(instance);
            index.forget_need(instance);
        }
        for (key, message) in self.messages {
            index.remove(&key);
            if let Some(message) = message {
                index.insert(key, message);
            }
        }
        self.given_back.iter().for_each(|fence| index.uncount(*fence));
        // After the messages: a queue without any would forget how long it has to wait.
        for (fence, not_before) in self.ended {
            index.end(fence, not_before);
        }
        index.instances = (index.instances + self.created).saturating_sub(self.deleted);
        index.unpin_all();
    }
}
