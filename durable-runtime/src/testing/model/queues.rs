//! Leasing from the model.

use std::collections::BTreeSet;
use std::time::Duration;

use super::{ActivityKey, Lease, Leased, Model, Place, Session};
use crate::clock::Timestamp;
use crate::ids::{ExecutionId, InstanceId, LockToken};
use crate::providers::{
    ActivityRequest, LeasedActivity, LeasedMessage, LeasedTurn, OwnerId, PassedOver, Renewal, Skills, TurnRequest,
};

impl Model {
    /// As [`Provider::fetch_turns`](crate::Provider::fetch_turns), without waiting.
    pub fn fetch_turns(&mut self, want: &TurnRequest, now: Timestamp) -> Vec<LeasedTurn> {
        self.expire(now);
        let instances = match &want.instance {
            Some(instance) => vec![instance.clone()],
            None => {
                let suits =
                    |instance: &InstanceId| want.skills.as_ref().is_none_or(|skills| self.suits(instance, skills, now));
                let suited = self.ready(now).into_iter().map(|(instance, _)| instance).filter(suits);
                suited.take(want.max).collect()
            }
        };
        let grants: Vec<_> = instances.into_iter().filter_map(|instance| self.grant(instance, want, now)).collect();
        self.expire(now);
        grants
    }

    /// As [`Provider::passed_over`](crate::Provider::passed_over).
    pub fn passed_over(&mut self, skills: &Skills, limit: usize, now: Timestamp) -> Vec<PassedOver> {
        self.expire(now);
        let unsuited = self.ready(now).into_iter().filter(|(instance, _)| !self.suits(instance, skills, now));
        let passed_over =
            unsuited.map(|(instance, since)| PassedOver { instance, waited: now.saturating_since(since) });
        passed_over.take(limit).collect()
    }

    /// Whether these skills are enough for an instance and what is visible of its messages.
    fn suits(&self, instance: &InstanceId, skills: &Skills, now: Timestamp) -> bool {
        let record = self.instances.get(instance).map(|found| &found.record);
        let needed = record.and_then(|record| record.labels.get(skills.label()));
        let messages = self.inboxes.get(instance).into_iter().flat_map(|inbox| inbox.messages.values());
        let visible = messages.filter(|waiting| waiting.place.0 <= now);
        skills.suffice(instance, needed.map(String::as_str), visible.map(|waiting| waiting.message.topic.as_str()))
    }

    /// The instances that nobody has and that have a visible message, the longest ready first, and since when.
    fn ready(&self, now: Timestamp) -> Vec<(InstanceId, Timestamp)> {
        let due = |(instance, inbox): (&InstanceId, &super::Inbox)| {
            let (visible_at, arrival) = inbox.messages.values().map(|waiting| waiting.place).min()?;
            let due = (visible_at.max(inbox.not_before), arrival);
            (inbox.lease.is_none() && due.0 <= now).then(|| (due, instance.clone()))
        };
        let mut ready: Vec<_> = self.inboxes.iter().filter_map(due).collect();
        ready.sort();
        ready.into_iter().map(|((due, _), instance)| (instance, due)).collect()
    }

    fn grant(&mut self, instance: InstanceId, want: &TurnRequest, now: Timestamp) -> Option<LeasedTurn> {
        if self.inboxes.get(&instance).is_some_and(|inbox| inbox.lease.is_some()) {
            return None;
        }
        let (execution_id, history_len) = self.newest(&instance).unwrap_or((ExecutionId::FIRST, 0));
        let of = (&instance, execution_id);
        let lock_token = self.lease(of, Leased::Turn, (&want.owner, want.ttl), now);
        let (messages, attempt): (Vec<LeasedMessage>, _) = self.with_inbox(&instance, |inbox| {
            inbox.lease = Some(lock_token.fence);
            let held_back = inbox.not_before > now;
            let visible = |waiting: &&mut super::Waiting| waiting.place.0 <= now && !held_back;
            let mut visible: Vec<_> = inbox.messages.values_mut().filter(visible).collect();
            visible.sort_by_key(|waiting| waiting.place);
            visible.iter_mut().for_each(|waiting| waiting.attempt += 1);
            let attempt = visible.iter().map(|waiting| waiting.attempt).max().unwrap_or(1);
            let message = |waiting: &mut super::Waiting| LeasedMessage {
                id: waiting.message.id.clone(),
                visible_at: waiting.place.0,
                data: waiting.message.data.clone(),
            };
            (visible.into_iter().map(message).collect(), attempt)
        });
        if let Some(lease) = self.leases.get_mut(&lock_token.fence) {
            lease.handed_out = messages.iter().map(|message| message.id.clone()).collect();
        }
        let is_new_execution = history_len == 0;
        Some(LeasedTurn { instance, execution_id, is_new_execution, history_len, messages, attempt, lock_token })
    }

    /// As [`Provider::fetch_activities`](crate::Provider::fetch_activities), without waiting.
    pub fn fetch_activities(&mut self, want: &ActivityRequest, now: Timestamp) -> Vec<LeasedActivity> {
        self.expire(now);
        let serves = |waiting: &super::Waiting| {
            let tag = &waiting.message.tag;
            want.topics.contains(&waiting.message.topic)
                && tag.as_ref().is_none_or(|tag| want.tags.contains(tag))
                && waiting.message.session.as_ref().is_none_or(|session| self.may_take(session, want))
        };
        let free = self.activities.iter().filter(|(_, waiting)| waiting.lease.is_none() && waiting.place.0 <= now);
        let mut ready: BTreeSet<_> =
            free.filter(|(_, waiting)| serves(waiting)).map(|(key, waiting)| (waiting.place, key.clone())).collect();
        let mut leased = Vec::new();
        while leased.len() < want.max
            && let Some(first) = self.whose_turn(&ready)
        {
            ready.remove(&first);
            let key = first.1;
            let Some(message) = self.activities.get(&key).map(|waiting| waiting.message.clone()) else { continue };
            let on = Leased::Activity(key.1.clone());
            let lock_token = self.lease((&key.0, message.execution_id), on, (&want.owner, want.ttl), now);
            if let Some(session) = &message.session {
                let ttl = want.session_ttl.unwrap_or_default();
                self.hold(session, &want.owner, ttl, now.saturating_add(ttl.max(want.ttl)));
            }
            let Some(waiting) = self.activities.get_mut(&key) else { continue };
            waiting.lease = Some(lock_token.fence);
            waiting.attempt += 1;
            self.handed_out += 1;
            self.last_turns.insert((waiting.lane(), key.0.clone()), self.handed_out);
            let (attempt, data) = (waiting.attempt, waiting.message.data.clone());
            let (instance, id) = key;
            leased.push(LeasedActivity { instance, id, data, attempt, lock_token });
        }
        leased
    }

    /// The next of those that are ready: the first of all, or of the instance that has waited for its turn the longest.
    fn whose_turn(&self, ready: &BTreeSet<(Place, ActivityKey)>) -> Option<(Place, ActivityKey)> {
        if !self.takes_turns {
            return ready.first().cloned();
        }
        let mut seen = BTreeSet::new();
        let rank = |(place, key): &(Place, ActivityKey)| {
            let waiting = self.activities.get(key)?;
            let of = (waiting.lane(), key.0.clone());
            let last_turn = self.last_turns.get(&of).copied().unwrap_or_default();
            // The first of its instance in its lane; the others wait behind it.
            let is_first = seen.insert(of);
            is_first.then(|| ((waiting.freed_at.max(last_turn), *place), (*place, key.clone())))
        };
        ready.iter().filter_map(rank).min().map(|(_, first)| first)
    }

    /// Whether this worker takes messages of sessions, and nobody else holds this one.
    fn may_take(&self, session: &str, want: &ActivityRequest) -> bool {
        want.session_ttl.is_some() && self.sessions.get(session).is_none_or(|held| held.owner == want.owner)
    }

    fn hold(&mut self, session: &str, owner: &OwnerId, ttl: Duration, until: Timestamp) {
        let before = self.sessions.get(session).filter(|held| held.owner == *owner).map_or(until, |held| held.until);
        let held = Session { owner: owner.clone(), ttl, until: until.max(before) };
        self.sessions.insert(session.to_owned(), held);
    }

    /// As [`Provider::renew`](crate::Provider::renew).
    pub fn renew(&mut self, tokens: &[LockToken], ttl: Duration, now: Timestamp) -> Vec<Renewal> {
        self.expire(now);
        tokens.iter().map(|token| self.renew_one(token, ttl, now)).collect()
    }

    fn renew_one(&mut self, token: &LockToken, ttl: Duration, now: Timestamp) -> Renewal {
        let until = now.saturating_add(ttl);
        let out = self.out(token).is_some();
        let Some(lease) = self.leases.get_mut(&token.fence).filter(|_| out) else { return Renewal::Lost };
        lease.expires = until;
        if let Leased::Activity(id) = &lease.on {
            let activity = self.activities.get(&(token.instance.clone(), id.clone()));
            let session = activity.and_then(|waiting| waiting.message.session.clone());
            let held = session.and_then(|session| Some((self.sessions.get(&session)?.clone(), session)));
            if let Some((Session { owner, ttl, .. }, session)) = held {
                self.hold(&session, &owner, ttl, until.max(now.saturating_add(ttl)));
            }
        }
        Renewal::Until(until)
    }

    fn lease(
        &mut self,
        (instance, execution_id): (&InstanceId, ExecutionId),
        on: Leased,
        (owner, ttl): (&OwnerId, Duration),
        now: Timestamp,
    ) -> LockToken {
        self.last_fence += 1;
        let (instance, fence) = (instance.clone(), self.last_fence);
        let token = LockToken { instance, execution_id, granted_at_ms: now.as_millis(), fence };
        let (handed_out, expires) = (Vec::new(), now.saturating_add(ttl));
        self.leases.insert(fence, Lease { token: token.clone(), on, owner: owner.clone(), handed_out, expires });
        token
    }

    /// The newest execution, and how many events it has.
    pub(super) fn newest(&self, instance: &InstanceId) -> Option<(ExecutionId, u64)> {
        let found = self.instances.get(instance)?;
        let execution_id = found.record.execution_id;
        Some((execution_id, found.histories.get(&execution_id).map_or(0, |events| events.len() as u64)))
    }
}
