//! The queues of turns, and which instance is due when.
//!
//! One ordered set is both the ready queue and the timer heap: an instance that nobody has stands in it at the moment
//! from which it has something to do, and those up to now are ready, the longest ready first.

use std::collections::{BTreeMap, BTreeSet, HashMap};
use std::ops::Bound;

use super::{Place, Queued};
use crate::clock::Timestamp;
use crate::ids::{InstanceId, MessageId};
use crate::providers::Skills;

#[derive(Debug, Default)]
pub(super) struct Turns {
    queues: HashMap<InstanceId, Queue>,
    schedule: BTreeSet<(Place, InstanceId)>,
    count: u64,
}

#[derive(Debug, Default)]
struct Queue {
    /// Boxed, since most queues hold one message and a tree makes room for eleven.
    messages: BTreeMap<MessageId, Box<Queued>>,
    /// Those that can be handed out: without the ones that a transaction on its way to the disk takes away.
    order: BTreeMap<Place, MessageId>,
    lease: Option<u64>,
    not_before: Timestamp,
    scheduled: Option<Place>,
    quarantined: bool,
    needs: Needs,
}

/// What the record of an instance says of what it needs.
#[derive(Debug, Default)]
struct Needs {
    /// The label that was looked at last, and its value.
    read: Option<(String, Option<String>)>,
    /// How often the record has changed since it is here.
    changes: u64,
}

impl Queue {
    fn is_empty(&self) -> bool {
        self.messages.is_empty() && self.lease.is_none() && !self.quarantined
    }

    /// Whether these skills are enough for it, if that is known.
    fn suits(&self, instance: &InstanceId, skills: &Skills, now: Timestamp) -> Option<bool> {
        let (_, needed) = self.needs.read.as_ref().filter(|(label, _)| label == skills.label())?;
        let visible = self.order.iter().take_while(|((visible_at, _), _)| *visible_at <= now);
        let lanes = visible.filter_map(|(_, id)| self.messages.get(id)?.lane.as_deref());
        Some(skills.suffice(instance, needed.as_deref(), lanes.map(|lane| lane.topic.as_str())))
    }

    fn due(&self) -> Option<Place> {
        if self.lease.is_some() || self.quarantined {
            return None;
        }
        let ((visible_at, sequence), _) = self.order.first_key_value()?;
        Some(((*visible_at).max(self.not_before), *sequence))
    }
}

impl Turns {
    pub(super) fn insert(&mut self, instance: InstanceId, id: MessageId, message: Queued) {
        self.change(&instance, |queue| {
            queue.order.insert(message.place, id.clone());
            queue.messages.insert(id, Box::new(message));
        });
        self.count += 1;
    }

    pub(super) fn remove(&mut self, instance: &InstanceId, id: &MessageId) {
        let removed = self.change(instance, |queue| {
            let message = queue.messages.remove(id)?;
            queue.order.remove(&message.place);
            Some(message)
        });
        self.count -= u64::from(removed.is_some());
    }

    pub(super) fn hold(&mut self, instance: &InstanceId, id: &MessageId) {
        self.change(instance, |queue| {
            if let Some(message) = queue.messages.get(id) {
                queue.order.remove(&message.place);
            }
        });
    }

    pub(super) fn quarantine(&mut self, instance: &InstanceId) {
        self.change(instance, |queue| queue.quarantined = true);
    }

    pub(super) fn forgive(&mut self, instance: &InstanceId) {
        self.change(instance, |queue| {
            queue.quarantined = false;
            queue.not_before = Timestamp::EPOCH;
        });
    }

    pub(super) fn is_quarantined(&self, instance: &InstanceId) -> bool {
        self.queues.get(instance).is_some_and(|queue| queue.quarantined)
    }

    pub(super) fn message(&self, instance: &InstanceId, id: &MessageId) -> Option<&Queued> {
        self.queues.get(instance)?.messages.get(id).map(|message| &**message)
    }

    pub(super) fn ids_of(&self, instance: &InstanceId) -> impl Iterator<Item = &MessageId> {
        self.queues.get(instance).into_iter().flat_map(|queue| queue.messages.keys())
    }

    pub(super) fn not_before(&self, instance: &InstanceId) -> Timestamp {
        self.queues.get(instance).map_or(Timestamp::EPOCH, |queue| queue.not_before)
    }

    pub(super) fn lease(&self, instance: &InstanceId) -> Option<u64> {
        self.queues.get(instance)?.lease
    }

    /// The instances that are ready, and since when, the longest ready first.
    pub(super) fn ready(&self, now: Timestamp) -> impl Iterator<Item = (&InstanceId, Timestamp)> {
        let ready = self.schedule.iter().take_while(move |((due, _), _)| *due <= now);
        ready.map(|((due, _), instance)| (instance, *due))
    }

    /// Whether these skills are enough for an instance, if that is known.
    pub(super) fn suits(&self, instance: &InstanceId, skills: &Skills, now: Timestamp) -> Option<bool> {
        self.queues.get(instance)?.suits(instance, skills, now)
    }

    /// How often the record of an instance has changed since it is here.
    pub(super) fn changes(&self, instance: &InstanceId) -> u64 {
        self.queues.get(instance).map_or(0, |queue| queue.needs.changes)
    }

    /// Notes what the record says, unless it has changed since.
    pub(super) fn note_need(&mut self, instance: &InstanceId, changes: u64, label: &str, value: Option<String>) {
        if let Some(queue) = self.queues.get_mut(instance).filter(|queue| queue.needs.changes == changes) {
            queue.needs.read = Some((label.to_owned(), value));
        }
    }

    /// The record has changed, or is gone.
    pub(super) fn forget_need(&mut self, instance: &InstanceId) {
        if let Some(queue) = self.queues.get_mut(instance) {
            queue.needs = Needs { read: None, changes: queue.needs.changes + 1 };
        }
    }

    /// The messages that can be handed out, in order.
    pub(super) fn visible(&self, instance: &InstanceId, now: Timestamp) -> Vec<(MessageId, Timestamp)> {
        let Some(queue) = self.queues.get(instance).filter(|queue| queue.not_before <= now) else {
            return Vec::new();
        };
        let visible = queue.order.iter().take_while(|((visible_at, _), _)| *visible_at <= now);
        visible.map(|((at, _), id)| (id.clone(), *at)).collect()
    }

    /// Notes the lease, and that these messages are handed out; answers how often that happened by now.
    pub(super) fn take(&mut self, instance: &InstanceId, fence: u64, messages: &[(MessageId, Timestamp)]) -> u32 {
        self.change(instance, |queue| {
            queue.lease = Some(fence);
            let mut attempt = 1;
            for (id, _) in messages {
                if let Some(message) = queue.messages.get_mut(id) {
                    message.attempt = message.attempt.saturating_add(1);
                    attempt = attempt.max(message.attempt);
                }
            }
            attempt
        })
    }

    pub(super) fn uncount(&mut self, instance: &InstanceId, messages: &[MessageId]) {
        let Some(queue) = self.queues.get_mut(instance) else { return };
        for id in messages {
            if let Some(message) = queue.messages.get_mut(id) {
                message.attempt = message.attempt.saturating_sub(1);
            }
        }
    }

    pub(super) fn free(&mut self, instance: &InstanceId, not_before: Timestamp) {
        self.change(instance, |queue| {
            queue.lease = None;
            queue.not_before = not_before;
        });
    }

    pub(super) fn next_due(&self, now: Timestamp) -> Option<Timestamp> {
        let after = Timestamp::from_millis(now.as_millis() + 1);
        let least = self.schedule.iter().next()?;
        if least.0.0 > now {
            return Some(least.0.0);
        }
        // Any id will do for the bound: places are compared first, and no message has number 0.
        let from = Bound::Included(((after, 0), least.1.clone()));
        self.schedule.range((from, Bound::Unbounded)).next().map(|((due, _), _)| *due)
    }

    pub(super) fn count(&self) -> u64 {
        self.count
    }

    /// Changes a queue, and keeps the schedule in step with it. A queue that says nothing any more is dropped.
    fn change<T>(&mut self, instance: &InstanceId, change: impl FnOnce(&mut Queue) -> T) -> T {
        let queue = self.queues.entry(instance.clone()).or_default();
        let answer = change(queue);
        let due = queue.due();
        if due != queue.scheduled {
            if let Some(old) = queue.scheduled {
                self.schedule.remove(&(old, instance.clone()));
            }
            if let Some(new) = due {
                self.schedule.insert((new, instance.clone()));
            }
            queue.scheduled = due;
        }
        if queue.is_empty() {
            self.queues.remove(instance);
        }
        answer
    }
}
