//! What waits, what is due and who has it: in memory, built from the queues of the store when it is opened.
//!
//! Only what is durable stands here. Data of messages does not: an entry is a few numbers and the ids. An instance
//! with nothing in its queues and no lease has no entry.

mod activities;
mod aside;
mod few;
mod leases;
mod line;
mod sessions;
mod turns;

use std::collections::BTreeMap;
use std::sync::Arc;
use std::time::Duration;

use self::activities::Activities;
use self::leases::{Lease, Leases, Target};
use self::sessions::Sessions;
use self::turns::{Scheduled, Turns};
use super::keys::QueueKind;
use crate::clock::Timestamp;
use crate::ids::{ExecutionId, InstanceId, LockToken, MessageId};
use crate::providers::{ActivityRequest, LeaseHolder, Renewal, Skills, Stats, TurnRequest};

/// Where a message stands in its queue: since when it is visible, then by arrival.
pub(super) type Place = (Timestamp, u64);

/// Who can take an activity: topic, tag, and whoever holds the session.
#[derive(Debug, Clone, Default, PartialEq, Eq, PartialOrd, Ord)]
pub(super) struct Lane {
    pub(super) topic: String,
    pub(super) tag: Option<String>,
    pub(super) session: Option<String>,
}

/// Names a message.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord)]
pub(super) struct MessageKey {
    pub(super) kind: QueueKind,
    pub(super) instance: InstanceId,
    pub(super) id: MessageId,
}

/// What is remembered of a message.
#[derive(Debug, Clone)]
pub(super) struct Queued {
    pub(super) place: Place,
    pub(super) execution_id: ExecutionId,
    /// How often it was handed out.
    pub(super) attempt: u32,
    /// In how many parts beside its own key it is kept, so that it can be deleted unread.
    pub(super) parts: u32,
    /// Whether it was there already when the store was opened: then the count is kept in the store too.
    pub(super) recovered: bool,
    /// For activities, and for messages of turns that have a topic.
    pub(super) lane: Option<Arc<Lane>>,
}

/// A lease on an instance, about to be handed over.
#[derive(Debug, Clone)]
pub(super) struct TurnGrant {
    pub(super) instance: InstanceId,
    pub(super) fence: u64,
    pub(super) messages: Vec<(MessageId, Timestamp)>,
    pub(super) attempt: u32,
    /// How often those were handed out by now of which the store is to know.
    pub(super) counts: Vec<(MessageKey, u32)>,
}

/// A lease on an activity, about to be handed over.
#[derive(Debug, Clone)]
pub(super) struct ActivityGrant {
    pub(super) id: MessageId,
    pub(super) attempt: u32,
    pub(super) token: LockToken,
    /// Whether the store is to know how often it was handed out.
    pub(super) recovered: bool,
}

impl ActivityGrant {
    pub(super) fn key(&self) -> MessageKey {
        let instance = self.token.instance.clone();
        MessageKey { kind: QueueKind::Activities, instance, id: self.id.clone() }
    }
}

/// How far somebody has looked through what is ready.
#[derive(Debug)]
pub(super) struct Looked {
    /// The last one that was looked at.
    at: Option<Scheduled>,
    /// How many that may be suited are still to be looked at.
    left: usize,
}

impl Looked {
    /// Not at all, and at `max` at most.
    pub(super) const fn begin(max: usize) -> Self {
        Self { at: None, left: max }
    }
}

/// See the module.
#[derive(Debug)]
pub(super) struct Index {
    turns: Turns,
    activities: Activities,
    leases: Leases,
    sessions: Sessions,
    /// Which record of an instance is damaged, so that something of it is handed out to nobody.
    parked: BTreeMap<InstanceId, String>,
    pub(super) instances: u64,
}

impl Index {
    /// Empty. Fences of this opening of the store are larger than those of all earlier ones.
    pub(super) fn new(epoch: u64, instances: u64) -> Self {
        Self {
            turns: Turns::default(),
            activities: Activities::default(),
            leases: Leases::new(epoch),
            sessions: Sessions::default(),
            parked: BTreeMap::new(),
            instances,
        }
    }

    /// Puts a durable message in its place.
    pub(super) fn insert(&mut self, key: MessageKey, message: Queued) {
        match key.kind {
            QueueKind::Turns => self.turns.insert(key.instance, key.id, message),
            QueueKind::Activities => self.activities.insert((key.instance, key.id), message),
        }
    }

    /// Forgets a message; a lease on it ends.
    pub(super) fn remove(&mut self, key: &MessageKey) {
        match key.kind {
            QueueKind::Turns => self.turns.remove(&key.instance, &key.id),
            QueueKind::Activities => {
                if let Some(fence) = self.activities.remove(&(key.instance.clone(), key.id.clone())) {
                    self.leases.take(fence);
                }
            }
        }
    }

    /// Hands this message to nobody any more: a transaction that takes it away is on its way to the disk.
    pub(super) fn hold(&mut self, key: &MessageKey) {
        match key.kind {
            QueueKind::Turns => self.turns.hold(&key.instance, &key.id),
            QueueKind::Activities => self.activities.hold(&(key.instance.clone(), key.id.clone())),
        }
    }

    /// Sets an instance aside whose messages cannot be read: this is damaged.
    pub(super) fn quarantine(&mut self, instance: &InstanceId, what: String) {
        self.turns.quarantine(instance);
        self.park(instance, what);
    }

    /// Remembers that something of an instance is damaged, and handed out to nobody.
    pub(super) fn park(&mut self, instance: &InstanceId, what: String) {
        self.parked.entry(instance.clone()).or_insert(what);
    }

    /// What of an instance is damaged.
    pub(super) fn parked(&self, instance: &InstanceId) -> Option<&str> {
        self.parked.get(instance).map(String::as_str)
    }

    /// What of an instance is damaged, if that keeps it from being leased.
    pub(super) fn quarantined(&self, instance: &InstanceId) -> Option<&str> {
        self.parked(instance).filter(|_| self.turns.is_quarantined(instance))
    }

    /// The instance was deleted, and with it what was damaged, and how long it was to wait.
    pub(super) fn forgive(&mut self, instance: &InstanceId) {
        self.turns.forgive(instance);
        self.parked.remove(instance);
    }

    pub(super) fn message(&self, key: &MessageKey) -> Option<&Queued> {
        match key.kind {
            QueueKind::Turns => self.turns.message(&key.instance, &key.id),
            QueueKind::Activities => self.activities.message(&(key.instance.clone(), key.id.clone())),
        }
    }

    /// All messages of an instance.
    pub(super) fn messages_of(&self, instance: &InstanceId) -> Vec<MessageKey> {
        let key = |kind| move |id: &MessageId| MessageKey { kind, instance: instance.clone(), id: id.clone() };
        let turns = self.turns.ids_of(instance).map(key(QueueKind::Turns));
        turns.chain(self.activities.ids_of(instance).map(key(QueueKind::Activities))).collect()
    }

    /// The lease that is out on an instance.
    pub(super) fn turn_lease(&self, instance: &InstanceId) -> Option<u64> {
        self.turns.lease(instance)
    }

    /// The lease that is out on an activity.
    pub(super) fn activity_lease(&self, instance: &InstanceId, id: &MessageId) -> Option<u64> {
        self.activities.lease(&(instance.clone(), id.clone()))
    }

    /// Who holds a lease.
    pub(super) fn holder(&self, fence: u64) -> Option<LeaseHolder> {
        let lease = self.leases.get(fence)?;
        Some(LeaseHolder { owner: lease.owner.clone(), until: lease.expires(), lock_token: lease.token.clone() })
    }

    /// The messages that were handed out under a lease on an instance.
    pub(super) fn handed_out(&self, fence: u64) -> &[MessageId] {
        self.leases.get(fence).map_or(&[], |lease| &lease.handed_out)
    }

    /// Before when no message of this instance is handed out.
    pub(super) fn not_before(&self, instance: &InstanceId) -> Timestamp {
        self.turns.not_before(instance)
    }

    /// Whether this is the lease that is out on its instance.
    pub(super) fn holds_turn(&self, token: &LockToken, now: Timestamp) -> bool {
        self.leases.valid(token, now).is_some_and(|lease| lease.target == Target::Turn)
    }

    /// The activity that is leased by this token.
    pub(super) fn leased_activity(&self, token: &LockToken, now: Timestamp) -> Option<MessageKey> {
        match &self.leases.valid(token, now)?.target {
            Target::Turn => None,
            Target::Activity(id) => {
                Some(MessageKey { kind: QueueKind::Activities, instance: token.instance.clone(), id: id.clone() })
            }
        }
    }

    /// The execution a lease was granted for.
    pub(super) fn execution_of(&self, fence: u64) -> Option<ExecutionId> {
        self.leases.get(fence).map(|lease| lease.token.execution_id)
    }

    /// Keeps a lease from expiring while a transaction under it is on its way to the disk.
    pub(super) fn pin(&mut self, fence: u64) {
        self.leases.pin(fence);
    }

    /// Lets go of all pinned leases.
    pub(super) fn unpin_all(&mut self) {
        self.leases.unpin_all();
    }

    /// Ends a lease; what it was on can be leased again, but messages of an instance not before `not_before`.
    pub(super) fn end(&mut self, fence: u64, not_before: Timestamp) {
        if let Some(lease) = self.leases.take(fence) {
            self.free(&lease, not_before);
        }
    }

    /// Takes a lease back that nobody got to see.
    pub(super) fn revoke(&mut self, fence: u64) {
        self.uncount(fence);
        // As if it had never been granted: what was held back stays so.
        let not_before = |lease: &Lease| self.turns.not_before(&lease.token.instance);
        let not_before = self.leases.get(fence).map_or(Timestamp::EPOCH, not_before);
        self.end(fence, not_before);
    }

    /// What was handed out under this lease does not count as an attempt.
    pub(super) fn uncount(&mut self, fence: u64) {
        let Some(lease) = self.leases.get(fence) else { return };
        match &lease.target {
            Target::Turn => self.turns.uncount(&lease.token.instance, &lease.handed_out),
            Target::Activity(id) => self.activities.uncount(&(lease.token.instance.clone(), id.clone())),
        }
    }

    /// Ends what has expired; answers whether anything did.
    pub(super) fn expire(&mut self, now: Timestamp) -> bool {
        let mut any = false;
        while let Some(lease) = self.leases.take_expired(now) {
            self.free(&lease, Timestamp::EPOCH);
            any = true;
        }
        self.sessions.expire(now) || any
    }

    fn free(&mut self, lease: &Lease, not_before: Timestamp) {
        match &lease.target {
            Target::Turn => self.turns.free(&lease.token.instance, not_before),
            Target::Activity(id) => self.activities.free(&(lease.token.instance.clone(), id.clone())),
        }
    }

    /// The next `max` ready instances of which it is not known whether these skills are enough, and how often their records
    /// have changed by now. Goes on where it ended, until it has seen as many as are `left` that may be suited.
    pub(super) fn unread(
        &mut self,
        skills: &Skills,
        looked: &mut Looked,
        max: usize,
        now: Timestamp,
    ) -> Vec<(InstanceId, u64)> {
        self.turns.take_back_others(skills.label());
        let mut last = None;
        let ready = self.turns.ready_behind(looked.at.clone(), now);
        let mut ready = ready.map(|one| (one, self.turns.suits(&one.1, skills, now))).peekable();
        while looked.left > 0
            && let Some((one, Some(suits))) = ready.next_if(|(_, suits)| suits.is_some())
        {
            looked.left -= usize::from(suits);
            last = Some(one);
        }
        let first = ready.filter(|(_, suits)| *suits != Some(false)).take(looked.left);
        let unread = first.filter(|(_, suits)| suits.is_none()).take(max);
        let unread = unread.map(|((_, instance), _)| (instance.clone(), self.turns.changes(instance))).collect();
        if let Some(last) = last {
            looked.at = Some(last.clone());
        }
        unread
    }

    /// The first `max` ready instances that these skills are not enough for, and since when they are ready.
    pub(super) fn passed_over(&self, skills: &Skills, max: usize, now: Timestamp) -> Vec<(InstanceId, Timestamp)> {
        let unsuited = |instance: &_| self.turns.suits(instance, skills, now) == Some(false);
        let passed_over = self.turns.first_ready(max, now, |kind| kind.may_not_suit(skills), unsuited);
        passed_over.into_iter().map(|((since, _), instance)| (instance.clone(), *since)).collect()
    }

    /// Notes what the record of an instance says it needs, unless it has changed since.
    pub(super) fn note_need(&mut self, instance: &InstanceId, changes: u64, label: &str, value: Option<String>) {
        self.turns.note_need(instance, changes, label, value);
    }

    /// The record of an instance has changed, or is gone.
    pub(super) fn forget_need(&mut self, instance: &InstanceId) {
        self.turns.forget_need(instance);
    }

    /// Leases up to `max` instances, the longest ready first.
    pub(super) fn grant_turns(&mut self, want: &TurnRequest, now: Timestamp) -> Vec<TurnGrant> {
        let ready = match want.skills.as_deref() {
            None => self.turns.first_ready(want.max, now, |_| true, |_| true),
            Some(skills) => {
                self.turns.put_aside(skills, want.max, now);
                let suited = |instance: &_| self.turns.suits(instance, skills, now) == Some(true);
                self.turns.first_ready(want.max, now, |kind| kind.may_suit(skills), suited)
            }
        };
        let ready: Vec<_> = ready.into_iter().map(|(_, instance)| instance.clone()).collect();
        ready.into_iter().filter_map(|instance| self.grant_turn(&instance, want, now)).collect()
    }

    /// Leases this instance, unless somebody has it.
    pub(super) fn grant_turn(
        &mut self,
        instance: &InstanceId,
        want: &TurnRequest,
        now: Timestamp,
    ) -> Option<TurnGrant> {
        if self.turns.lease(instance).is_some() || self.turns.is_quarantined(instance) {
            return None;
        }
        let messages = self.turns.visible(instance, now);
        // The execution becomes known when the head of the instance is read; see `confirm_turn`.
        let handed_out = messages.iter().map(|(id, _)| id.clone()).collect();
        let target = (Target::Turn, handed_out);
        let fence = self.leases.grant((instance, ExecutionId(0)), target, &want.owner, want.ttl, now).fence;
        let attempt = self.turns.take(instance, fence, &messages);
        let key = |id: &MessageId| MessageKey { kind: QueueKind::Turns, instance: instance.clone(), id: id.clone() };
        let counted = |(id, _): &(MessageId, Timestamp)| {
            let message = self.turns.message(instance, id).filter(|message| message.recovered);
            message.map(|message| (key(id), message.attempt))
        };
        let counts = messages.iter().filter_map(counted).collect();
        Some(TurnGrant { instance: instance.clone(), fence, messages, attempt, counts })
    }

    /// Binds a lease to an execution and names it; `None` if it ended meanwhile.
    pub(super) fn confirm_turn(&mut self, fence: u64, execution_id: ExecutionId) -> Option<LockToken> {
        self.leases.bind(fence, execution_id)
    }

    /// Leases up to `want.max` activities: the instances by turns, each in its own order.
    pub(super) fn grant_activities(&mut self, want: &ActivityRequest, now: Timestamp) -> Vec<ActivityGrant> {
        let mut grants = Vec::new();
        self.activities.look(now);
        while grants.len() < want.max {
            let Some((key, execution_id)) = self.activities.first(want, &self.sessions, now) else { break };
            let target = (Target::Activity(key.1.clone()), Vec::new());
            let token = self.leases.grant((&key.0, execution_id), target, &want.owner, want.ttl, now);
            let message = self.activities.message(&key);
            let recovered = message.is_some_and(|message| message.recovered);
            let session = message.and_then(|message| message.lane.as_ref()?.session.clone());
            if let Some(session) = session {
                let ttl = want.session_ttl.unwrap_or_default();
                self.sessions.hold(&session, &want.owner, ttl, now.saturating_add(ttl.max(want.ttl)));
            }
            let attempt = self.activities.take(&key, token.fence);
            grants.push(ActivityGrant { id: key.1, attempt, token, recovered });
        }
        grants
    }

    /// Whether a lease is still out.
    pub(super) fn is_out(&self, fence: u64) -> bool {
        self.leases.get(fence).is_some()
    }

    pub(super) fn renew(&mut self, token: &LockToken, ttl: Duration, now: Timestamp) -> Renewal {
        let renewal = self.leases.renew(token, ttl, now);
        if let (Renewal::Until(until), Some(key)) = (renewal, self.leased_activity(token, now))
            && let Some(session) = self.message(&key).and_then(|message| message.lane.as_ref()?.session.clone())
        {
            self.sessions.renew(&session, now, until);
        }
        renewal
    }

    /// When something changes by time alone: the next message comes due or the next lease expires after `now`.
    pub(super) fn next_change(&self, now: Timestamp) -> Option<Timestamp> {
        let due = [self.turns.next_due(now), self.activities.next_due(now)];
        let expiry = [self.leases.next_expiry(), self.sessions.next_expiry()];
        due.into_iter().chain(expiry).flatten().min()
    }

    /// Whether anything waits that nobody has, and that nobody was found not to be enough for: turns, activities.
    pub(super) fn ready(&self, now: Timestamp) -> (bool, bool) {
        (self.turns.any_ready(now), self.activities.any_ready(now))
    }

    /// Whether nothing is in anybody's hands, and nothing waits that could be: turns for which `skills` are enough, or
    /// activities that `served` asks for. Answers when something comes due, if so.
    #[cfg(feature = "testing")]
    pub(super) fn settled(
        &self,
        skills: &Skills,
        served: &ActivityRequest,
        now: Timestamp,
    ) -> Option<Option<Timestamp>> {
        let may_suit = |instance: &_| self.turns.suits(instance, skills, now) != Some(false);
        let busy = self.leases.count() > 0
            || !self.turns.first_ready(1, now, |kind| kind.may_suit(skills), may_suit).is_empty()
            || self.activities.first(served, &Sessions::default(), now).is_some();
        let next = || self.turns.next_due(now).into_iter().chain(self.activities.next_due(now)).min();
        (!busy).then(next)
    }

    pub(super) fn stats(&self) -> Stats {
        let turns_leased = self.leases.on_turns();
        Stats {
            instances: self.instances,
            turn_messages: self.turns.count(),
            activities: self.activities.count(),
            turns_leased,
            activities_leased: self.leases.count() - turns_leased,
        }
    }
}
