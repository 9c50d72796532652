//! The queues of turns, and which instance is due when.
//!
//! One ordered set is both the ready queue and the timer heap: an instance that nobody has stands in it at the moment
//! from which it has something to do, and those up to now are ready, the longest ready first. One that somebody looked at
//! and could not take stands aside until anything of it changes.

#[cfg(test)]
mod tests;

use std::collections::{BTreeSet, HashMap};
use std::iter;
use std::ops::Bound;
use std::sync::Arc;

use super::aside::{Aside, Kind};
use super::few::Few;
use super::{Lane, Place, Queued};
use crate::clock::Timestamp;
use crate::ids::{InstanceId, MessageId};
use crate::providers::Skills;

/// An instance at the moment from which it has something to do.
pub(super) type Scheduled = (Place, InstanceId);

#[derive(Debug, Default)]
pub(super) struct Turns {
    queues: HashMap<InstanceId, Queue>,
    schedule: BTreeSet<Scheduled>,
    /// Not in the schedule: somebody has looked at them, and could not take them.
    aside: Aside,
    /// What was noted last: most need the same, and share it.
    last_need: Option<Arc<Need>>,
    /// The topic that came last, likewise.
    last_lane: Option<Arc<Lane>>,
    count: u64,
}

#[derive(Debug, Default)]
struct Queue {
    messages: Few<MessageId, Queued>,
    /// Those that can be handed out: without the ones that a transaction on its way to the disk takes away.
    order: Few<Place, MessageId>,
    /// How many of those have a topic.
    with_topic: usize,
    lease: Option<u64>,
    not_before: Timestamp,
    scheduled: Option<Place>,
    /// Of which kind it stands aside, if it does.
    aside: Option<Arc<Kind>>,
    quarantined: bool,
    needs: Needs,
}

/// A label, and its value.
type Need = (String, Option<String>);

/// What the record of an instance says of what it needs.
#[derive(Debug, Default)]
struct Needs {
    /// The label that was looked at last.
    read: Option<Arc<Need>>,
    /// How often the record has changed since it is here.
    changes: u64,
}

impl Queue {
    fn is_empty(&self) -> bool {
        self.messages.is_empty() && self.lease.is_none() && !self.quarantined
    }

    fn insert(&mut self, id: MessageId, message: Queued) {
        self.hold(&id);
        self.with_topic += usize::from(message.lane.is_some());
        self.order.insert(message.place, id.clone());
        self.messages.insert(id, message);
    }

    fn hold(&mut self, id: &MessageId) {
        if let Some(message) = self.messages.get(id)
            && self.order.remove(&message.place).is_some()
        {
            self.with_topic -= usize::from(message.lane.is_some());
        }
    }

    /// The topics of the messages that are visible.
    fn topics(&self, now: Timestamp) -> impl Iterator<Item = &str> {
        let visible = self.order.iter().take_while(move |((visible_at, _), _)| *visible_at <= now);
        let lanes = visible.filter_map(|(_, id)| self.messages.get(id)?.lane.as_deref());
        lanes.map(|lane| lane.topic.as_str()).take(self.with_topic)
    }

    /// Whether these skills are enough for it, if that is known.
    fn suits(&self, instance: &InstanceId, skills: &Skills, now: Timestamp) -> Option<bool> {
        let (_, needed) = self.needs.read.as_deref().filter(|(label, _)| label == skills.label())?;
        // Most messages say nothing of what is needed: then none is looked at.
        let topics = (self.with_topic > 0).then(|| self.topics(now));
        Some(skills.suffice(instance, needed.as_deref(), topics.into_iter().flatten()))
    }

    /// What it needs, if that is known and does not change by time alone.
    fn kind(&self, now: Timestamp) -> Option<Kind> {
        let (label, needed) = self.needs.read.as_deref()?;
        let all_visible = || self.order.last().is_none_or(|((visible_at, _), _)| *visible_at <= now);
        let stays = self.with_topic == 0 || all_visible();
        let topics = || self.topics(now).map(str::to_owned).collect();
        let topics = if self.with_topic == 0 { BTreeSet::new() } else { topics() };
        stays.then(|| Kind { label: label.clone(), needed: needed.clone(), topics })
    }

    fn due(&self) -> Option<Place> {
        if self.lease.is_some() || self.quarantined {
            return None;
        }
        let ((visible_at, sequence), _) = self.order.first()?;
        Some(((*visible_at).max(self.not_before), *sequence))
    }
}

impl Turns {
    pub(super) fn insert(&mut self, instance: InstanceId, id: MessageId, mut message: Queued) {
        if let Some(lane) = &mut message.lane {
            match self.last_lane.as_ref().filter(|last| *last == lane) {
                Some(last) => lane.clone_from(last),
                None => self.last_lane = Some(lane.clone()),
            }
        }
        self.change(&instance, |queue| queue.insert(id, message));
        self.count += 1;
    }

    pub(super) fn remove(&mut self, instance: &InstanceId, id: &MessageId) {
        let removed = self.change(instance, |queue| {
            queue.hold(id);
            queue.messages.remove(id)
        });
        self.count -= u64::from(removed.is_some());
    }

    pub(super) fn hold(&mut self, instance: &InstanceId, id: &MessageId) {
        self.change(instance, |queue| queue.hold(id));
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
        self.queues.get(instance)?.messages.get(id)
    }

    pub(super) fn ids_of(&self, instance: &InstanceId) -> impl Iterator<Item = &MessageId> {
        self.queues.get(instance).into_iter().flat_map(|queue| queue.messages.iter().map(|(id, _)| id))
    }

    pub(super) fn not_before(&self, instance: &InstanceId) -> Timestamp {
        self.queues.get(instance).map_or(Timestamp::EPOCH, |queue| queue.not_before)
    }

    pub(super) fn lease(&self, instance: &InstanceId) -> Option<u64> {
        self.queues.get(instance)?.lease
    }

    /// Whether an instance is ready that nobody was found not to be enough for.
    pub(super) fn any_ready(&self, now: Timestamp) -> bool {
        self.schedule.first().is_some_and(|((due, _), _)| *due <= now)
    }

    /// The first `max` ready instances of which `wanted` holds, the longest ready first: among those in the schedule and
    /// those that stand aside and are of a kind that is asked for.
    pub(super) fn first_ready(
        &self,
        max: usize,
        now: Timestamp,
        asked: impl Fn(&Kind) -> bool,
        wanted: impl Fn(&InstanceId) -> bool,
    ) -> Vec<&Scheduled> {
        let sets = iter::once(&self.schedule).chain(self.aside.of(asked));
        let first = |set| ready(set, now).filter(|(_, instance)| wanted(instance)).take(max);
        let mut found: Vec<_> = sets.flat_map(first).collect();
        found.sort_unstable();
        found.truncate(max);
        found
    }

    /// Those in the schedule that are ready and come behind this one.
    pub(super) fn ready_behind(&self, last: Option<Scheduled>, now: Timestamp) -> impl Iterator<Item = &Scheduled> {
        let from = last.map_or(Bound::Unbounded, Bound::Excluded);
        self.schedule.range((from, Bound::Unbounded)).take_while(move |((due, _), _)| *due <= now)
    }

    /// Puts the instances aside for which these skills are not enough, as far as `max` others do not come first.
    pub(super) fn put_aside(&mut self, skills: &Skills, max: usize, now: Timestamp) {
        let mut suited = 0;
        let mut unsuited = Vec::new();
        for (_, instance) in ready(&self.schedule, now) {
            match self.suits(instance, skills, now) {
                Some(true) => suited += 1,
                Some(false) => unsuited.push(instance.clone()),
                None => {}
            }
            if suited == max {
                break;
            }
        }
        for instance in unsuited {
            let Some(queue) = self.queues.get_mut(&instance) else { continue };
            if let (Some(kind), Some(place)) = (queue.kind(now), queue.scheduled) {
                let one = (place, instance);
                self.schedule.remove(&one);
                queue.aside = Some(self.aside.insert(kind, one));
            }
        }
    }

    /// Takes back into the schedule what stands aside because of another label.
    pub(super) fn take_back_others(&mut self, label: &str) {
        let others: Vec<_> = self.aside.of(|kind| kind.label != label).flatten().cloned().collect();
        for (_, instance) in others {
            self.change(&instance, |_| ());
        }
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
        if self.queues.get(instance).is_none_or(|queue| queue.needs.changes != changes) {
            return;
        }
        let same = |last: &&Arc<Need>| last.0 == label && last.1 == value;
        let need = self.last_need.as_ref().filter(same).cloned();
        let need = need.unwrap_or_else(|| Arc::new((label.to_owned(), value)));
        self.last_need = Some(need.clone());
        self.change(instance, |queue| queue.needs.read = Some(need));
    }

    /// The record has changed, or is gone.
    pub(super) fn forget_need(&mut self, instance: &InstanceId) {
        if self.queues.contains_key(instance) {
            let changed = |queue: &mut Queue| queue.needs = Needs { read: None, changes: queue.needs.changes + 1 };
            self.change(instance, changed);
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
        let sets = iter::once(&self.schedule).chain(self.aside.of(|_| true));
        sets.filter_map(|set| next_due(set, now)).min()
    }

    pub(super) fn count(&self) -> u64 {
        self.count
    }

    /// Changes a queue, and keeps the schedule in step with it: whatever changed, it stands aside no more. A queue that
    /// says nothing any more is dropped.
    fn change<T>(&mut self, instance: &InstanceId, change: impl FnOnce(&mut Queue) -> T) -> T {
        let queue = self.queues.entry(instance.clone()).or_default();
        let answer = change(queue);
        let due = queue.due();
        let aside = queue.aside.take();
        if due != queue.scheduled || aside.is_some() {
            if let Some(old) = queue.scheduled {
                let old = (old, instance.clone());
                match aside {
                    Some(kind) => self.aside.remove(&kind, &old),
                    None => _ = self.schedule.remove(&old),
                }
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

/// Those that are ready, the longest ready first.
fn ready(set: &BTreeSet<Scheduled>, now: Timestamp) -> impl Iterator<Item = &Scheduled> {
    set.iter().take_while(move |((due, _), _)| *due <= now)
}

/// When the first of them comes due that is not due now.
fn next_due(set: &BTreeSet<Scheduled>, now: Timestamp) -> Option<Timestamp> {
    let after = Timestamp::from_millis(now.as_millis() + 1);
    let least = set.first()?;
    if least.0.0 > now {
        return Some(least.0.0);
    }
    // Any id will do for the bound: places are compared first, and no message has number 0.
    let from = Bound::Included(((after, 0), least.1.clone()));
    set.range((from, Bound::Unbounded)).next().map(|((due, _), _)| *due)
}
