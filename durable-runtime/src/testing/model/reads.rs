//! Reading the model.

use bytes::Bytes;

use super::{Leased, Model, Waiting};
use crate::clock::Timestamp;
use crate::ids::{EventId, ExecutionId, InstanceId};
use crate::providers::{
    ExecutionInfo, InstanceMessages, InstancePage, InstanceRecord, KvPage, KvPageRequest, LeaseHolder, NewMessage,
    PageRequest, Queue, Stats, StoredEvent, WaitingMessage,
};

impl Model {
    /// As [`Provider::instance`](crate::Provider::instance).
    pub fn instance(&self, instance: &InstanceId) -> Option<InstanceRecord> {
        self.instances.get(instance).map(|found| found.record.clone())
    }

    /// As [`Provider::history`](crate::Provider::history).
    pub fn history(
        &self,
        instance: &InstanceId,
        execution_id: ExecutionId,
        from: EventId,
        limit: usize,
    ) -> Vec<StoredEvent> {
        let events = self.instances.get(instance).and_then(|found| found.histories.get(&execution_id));
        let numbered = (1..).map(EventId).zip(events.into_iter().flatten());
        let wanted = numbered.filter(|(id, _)| *id >= from).take(limit);
        wanted.map(|(id, data)| StoredEvent { id, data: data.clone() }).collect()
    }

    /// As [`Provider::executions`](crate::Provider::executions).
    pub fn executions(&self, instance: &InstanceId, from: ExecutionId, limit: usize) -> Vec<ExecutionInfo> {
        let Some(found) = self.instances.get(instance) else { return Vec::new() };
        let newest = found.record.execution_id;
        let all = (from.0.max(1)..=newest.0).map(ExecutionId).map(|execution_id| {
            let history_len = found.histories.get(&execution_id).map_or(0, |events| events.len() as u64);
            ExecutionInfo { execution_id, history_len }
        });
        all.filter(|info| info.history_len > 0 || info.execution_id == newest).take(limit).collect()
    }

    /// As [`Provider::kv`](crate::Provider::kv).
    pub fn kv(&self, instance: &InstanceId, key: &str) -> Option<Bytes> {
        self.instances.get(instance)?.entries.get(key).cloned()
    }

    /// As [`Provider::kv_page`](crate::Provider::kv_page).
    pub fn kv_page(&self, instance: &InstanceId, page: &KvPageRequest) -> KvPage {
        let entries = self.instances.get(instance).map(|found| &found.entries);
        let wanted = entries
            .into_iter()
            .flatten()
            .filter(|(key, _)| key.starts_with(&page.prefix) && page.after.as_ref().is_none_or(|after| *key > after));
        let wanted = wanted.map(|(key, value)| (key.clone(), value.clone()));
        let mut entries: Vec<_> = wanted.take(page.limit.saturating_add(1)).collect();
        let more = entries.len() > page.limit;
        entries.truncate(page.limit);
        let next = entries.last().filter(|_| more).map(|(key, _)| key.clone());
        KvPage { entries, next }
    }

    /// As [`Provider::messages`](crate::Provider::messages).
    pub fn messages(&mut self, instance: &InstanceId, limit: usize, now: Timestamp) -> InstanceMessages {
        self.expire(now);
        let holder = |fence: Option<u64>| {
            let lease = self.leases.get(&fence?)?;
            Some(LeaseHolder { owner: lease.owner.clone(), until: lease.expires, lock_token: lease.token.clone() })
        };
        let waiting = |queue, waiting: &Waiting, visible_at, lease| {
            let NewMessage { id, execution_id, topic, tag, session, data, .. } = waiting.message.clone();
            let attempt = waiting.attempt;
            WaitingMessage { queue, id, execution_id, topic, tag, session, visible_at, attempt, lease, data }
        };
        let inbox = self.inboxes.get(instance);
        let lease = inbox.and_then(|inbox| inbox.lease);
        let handed_out = lease.and_then(|fence| self.leases.get(&fence)).map(|lease| lease.handed_out.as_slice());
        let mut turns: Vec<&Waiting> = inbox.into_iter().flat_map(|inbox| inbox.messages.values()).collect();
        turns.sort_by_key(|message| message.place);
        let not_before = inbox.map_or(Timestamp::EPOCH, |inbox| inbox.not_before);
        let turn = |message: &Waiting| {
            let is_out = handed_out.is_some_and(|ids| ids.contains(&message.message.id));
            let visible_at = message.place.0.max(not_before);
            waiting(Queue::Turns(instance.clone()), message, visible_at, holder(lease.filter(|_| is_out)))
        };
        let of_instance = self.activities.iter().filter(|((of, _), _)| of == instance);
        let mut activities: Vec<&Waiting> = of_instance.map(|(_, activity)| activity).collect();
        activities.sort_by_key(|message| message.place);
        let activity = |message: &Waiting| {
            waiting(Queue::Activities(instance.clone()), message, message.place.0, holder(message.lease))
        };
        let all = turns.into_iter().map(turn).chain(activities.into_iter().map(activity));
        InstanceMessages { lease: holder(lease), parked: None, messages: all.take(limit).collect() }
    }

    /// As [`Provider::instances`](crate::Provider::instances).
    pub fn instances(&self, page: &PageRequest) -> InstancePage {
        let has_all = |record: &&InstanceRecord| page.matches(&record.labels);
        let records = self.instances.values().map(|found| &found.record).filter(has_all);
        let after = records.filter(|record| page.after.as_ref().is_none_or(|after| record.instance > *after));
        let mut instances: Vec<_> = after.take(page.limit.saturating_add(1)).cloned().collect();
        let more = instances.len() > page.limit;
        instances.truncate(page.limit);
        let next = instances.last().filter(|_| more).map(|record| record.instance.clone());
        InstancePage { instances, next }
    }

    /// As [`Provider::stats`](crate::Provider::stats).
    pub fn stats(&mut self, now: Timestamp) -> Stats {
        self.expire(now);
        let turns_leased = self.leases.values().filter(|lease| lease.on == Leased::Turn).count();
        Stats {
            instances: self.instances.len() as u64,
            turn_messages: self.inboxes.values().map(|inbox| inbox.messages.len() as u64).sum(),
            activities: self.activities.len() as u64,
            turns_leased: turns_leased as u64,
            activities_leased: (self.leases.len() - turns_leased) as u64,
        }
    }
}
