//! The queue of activities: one for all instances, in lanes by what a worker must be able to do.

use std::collections::{BTreeMap, BTreeSet};
use std::ops::Bound;
use std::sync::Arc;

use super::sessions::Sessions;
use super::{Lane, Place, Queued};
use crate::clock::Timestamp;
use crate::ids::{ExecutionId, InstanceId, MessageId};
use crate::providers::ActivityRequest;

type Key = (InstanceId, MessageId);

#[derive(Debug, Default)]
pub(super) struct Activities {
    entries: BTreeMap<InstanceId, BTreeMap<MessageId, Entry>>,
    /// What nobody has. A lane that is empty is dropped.
    lanes: BTreeMap<Arc<Lane>, BTreeSet<(Place, Key)>>,
    count: u64,
}

#[derive(Debug)]
struct Entry {
    message: Queued,
    lease: Option<u64>,
    /// A transaction on its way to the disk takes it away.
    held: bool,
}

impl Activities {
    pub(super) fn insert(&mut self, key: Key, mut message: Queued) {
        // Lanes are few: each is kept once, whatever the number of messages in it.
        let lane =
            message.lane.take().unwrap_or_else(|| Arc::new(Lane { topic: String::new(), tag: None, session: None }));
        let lane = self.lanes.get_key_value(&lane).map_or(lane, |(known, _)| known.clone());
        message.lane = Some(lane);
        let entry = Entry { message, lease: None, held: false };
        self.count += 1;
        self.entries.entry(key.0.clone()).or_default().insert(key.1.clone(), entry);
        self.settle(&key);
    }

    /// Forgets an activity, and answers the lease that was out on it.
    pub(super) fn remove(&mut self, key: &Key) -> Option<u64> {
        self.hold(key);
        let of_instance = self.entries.get_mut(&key.0)?;
        let entry = of_instance.remove(&key.1)?;
        if of_instance.is_empty() {
            self.entries.remove(&key.0);
        }
        self.count -= 1;
        entry.lease
    }

    pub(super) fn hold(&mut self, key: &Key) {
        if let Some(entry) = self.entry_mut(key) {
            entry.held = true;
            self.settle(key);
        }
    }

    pub(super) fn message(&self, key: &Key) -> Option<&Queued> {
        self.entry(key).map(|entry| &entry.message)
    }

    pub(super) fn ids_of(&self, instance: &InstanceId) -> impl Iterator<Item = &MessageId> {
        self.entries.get(instance).into_iter().flat_map(BTreeMap::keys)
    }

    pub(super) fn lease(&self, key: &Key) -> Option<u64> {
        self.entry(key)?.lease
    }

    /// The first visible activity that this worker can take, and its execution.
    pub(super) fn first(
        &self,
        want: &ActivityRequest,
        sessions: &Sessions,
        now: Timestamp,
    ) -> Option<(Key, ExecutionId)> {
        let may = |session: &String| want.session_ttl.is_some() && sessions.is_open_to(session, &want.owner, now);
        let serves = |lane: &Lane| {
            want.topics.contains(&lane.topic)
                && lane.tag.as_ref().is_none_or(|tag| want.tags.contains(tag))
                && lane.session.as_ref().is_none_or(may)
        };
        let firsts = self.lanes.iter().filter(|(lane, _)| serves(lane)).filter_map(|(_, queue)| queue.first());
        let (_, key) = firsts.filter(|((visible_at, _), _)| *visible_at <= now).min()?;
        let execution_id = self.message(key)?.execution_id;
        Some((key.clone(), execution_id))
    }

    /// Whether a visible activity waits that nobody has.
    pub(super) fn any_ready(&self, now: Timestamp) -> bool {
        let mut firsts = self.lanes.values().filter_map(BTreeSet::first);
        firsts.any(|((visible_at, _), _)| *visible_at <= now)
    }

    /// Notes the lease; answers how often the activity was handed out by now.
    pub(super) fn take(&mut self, key: &Key, fence: u64) -> u32 {
        let Some(entry) = self.entry_mut(key) else { return 1 };
        entry.lease = Some(fence);
        entry.message.attempt = entry.message.attempt.saturating_add(1);
        let attempt = entry.message.attempt;
        self.settle(key);
        attempt
    }

    pub(super) fn uncount(&mut self, key: &Key) {
        if let Some(entry) = self.entry_mut(key) {
            entry.message.attempt = entry.message.attempt.saturating_sub(1);
        }
    }

    pub(super) fn free(&mut self, key: &Key) {
        if let Some(entry) = self.entry_mut(key) {
            entry.lease = None;
            self.settle(key);
        }
    }

    pub(super) fn next_due(&self, now: Timestamp) -> Option<Timestamp> {
        let after = Timestamp::from_millis(now.as_millis() + 1);
        let of_lane = |queue: &BTreeSet<(Place, Key)>| {
            let first = queue.first()?;
            // Any key will do for the bound: places are compared first, and no message has number 0.
            let from = Bound::Included(((after, 0), first.1.clone()));
            queue.range((from, Bound::Unbounded)).next().map(|((due, _), _)| *due)
        };
        self.lanes.values().filter_map(of_lane).min()
    }

    pub(super) fn count(&self) -> u64 {
        self.count
    }

    fn entry(&self, key: &Key) -> Option<&Entry> {
        self.entries.get(&key.0)?.get(&key.1)
    }

    fn entry_mut(&mut self, key: &Key) -> Option<&mut Entry> {
        self.entries.get_mut(&key.0)?.get_mut(&key.1)
    }

    /// Keeps the lanes in step with an entry: it stands in its lane exactly while nobody has it.
    fn settle(&mut self, key: &Key) {
        let Some(entry) = self.entries.get(&key.0).and_then(|of_instance| of_instance.get(&key.1)) else { return };
        let Some(lane) = entry.message.lane.clone() else { return };
        let place = (entry.message.place, key.clone());
        if entry.lease.is_none() && !entry.held {
            self.lanes.entry(lane).or_default().insert(place);
        } else if let Some(queue) = self.lanes.get_mut(&lane) {
            queue.remove(&place);
            if queue.is_empty() {
                self.lanes.remove(&lane);
            }
        }
    }
}
