//! The queue of activities: one for all instances, in lanes by what a worker must be able to do.

use std::collections::BTreeMap;
use std::sync::Arc;

use super::few::Few;
use super::line::Line;
use super::sessions::Sessions;
use super::{Lane, Queued};
use crate::clock::Timestamp;
use crate::ids::{ExecutionId, InstanceId, MessageId};
use crate::providers::ActivityRequest;

type Key = (InstanceId, MessageId);

#[derive(Debug, Default)]
pub(super) struct Activities {
    entries: BTreeMap<InstanceId, Few<MessageId, Entry>>,
    /// What nobody has. A lane that is empty is dropped.
    lanes: BTreeMap<Arc<Lane>, Line>,
    count: u64,
    /// The time of the queue: how many it has handed out.
    handed_out: u64,
    /// When somebody looked last.
    seen: Timestamp,
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
        self.entries.get(instance).into_iter().flat_map(|of_instance| of_instance.iter().map(|(id, _)| id))
    }

    pub(super) fn lease(&self, key: &Key) -> Option<u64> {
        self.entry(key)?.lease
    }

    /// Takes note of what has become visible, so that it is found at once.
    pub(super) fn look(&mut self, now: Timestamp) {
        let seen = std::mem::replace(&mut self.seen, now);
        self.lanes.values_mut().for_each(|line| line.look(now, seen));
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
        let firsts = self.lanes.iter().filter(|(lane, _)| serves(lane)).filter_map(|(_, line)| line.first(now));
        let (_, instance, id) = firsts.min()?;
        let key = (instance.clone(), id.clone());
        let execution_id = self.message(&key)?.execution_id;
        Some((key, execution_id))
    }

    /// Whether a visible activity waits that nobody has.
    pub(super) fn any_ready(&self, now: Timestamp) -> bool {
        self.lanes.values().any(|line| line.any_ready(now))
    }

    /// Notes the lease; answers how often the activity was handed out by now.
    pub(super) fn take(&mut self, key: &Key, fence: u64) -> u32 {
        let Some(entry) = self.entry_mut(key) else { return 1 };
        entry.lease = Some(fence);
        entry.message.attempt = entry.message.attempt.saturating_add(1);
        let attempt = entry.message.attempt;
        self.handed_out += 1;
        self.leave(key, Some(self.handed_out));
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
        self.lanes.values().filter_map(|line| line.next_due(now, self.seen)).min()
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
        if entry.lease.is_some() || entry.held {
            return self.leave(key, None);
        }
        let Some(lane) = entry.message.lane.clone() else { return };
        let line = self.lanes.entry(lane).or_default();
        line.insert((&key.0, &key.1), entry.message.place, self.handed_out, self.seen);
    }

    /// It is free no more; at this time of the queue, if it was handed out.
    fn leave(&mut self, key: &Key, turn: Option<u64>) {
        let Some(entry) = self.entries.get(&key.0).and_then(|of_instance| of_instance.get(&key.1)) else { return };
        let Some(lane) = entry.message.lane.as_ref() else { return };
        let Some(line) = self.lanes.get_mut(lane) else { return };
        line.remove((&key.0, &key.1), entry.message.place, turn, self.seen);
        if line.is_empty() {
            self.lanes.remove(&lane.clone());
        }
    }
}
