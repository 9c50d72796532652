//! Reading the model.

use bytes::Bytes;

use super::{Lease, Leased, Model, Waiting};
use crate::clock::Timestamp;
use crate::ids::{EventId, ExecutionId, InstanceId};
use crate::providers::{
    ExecutionInfo, InstanceMessages, InstancePage, InstanceRecord, KvPage, KvPageRequest, NewMessage, PageRequest,
    Queue, Stats, StoredEvent, WaitingMessage,
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

    /// As [`Provider::instances`](crate::Provider::instances).
    pub fn instances(&self, page: &PageRequest) -> InstancePage {
        let records = self.instances.values().map(|found| &found.record).filter(|record| page.matches(&record.labels));
        let after = records.filter(|record| page.after.as_ref().is_none_or(|after| record.instance > *after));
        let mut instances: Vec<_> = after.take(page.limit.saturating_add(1)).cloned().collect();
        let more = instances.len() > page.limit;
        instances.truncate(page.limit);
        let next = instances.last().filter(|_| more).map(|record| record.instance.clone());
        InstancePage { instances, damaged: Vec::new(), next }
    }

    /// As [`Provider::executions`](crate::Provider::executions).
    pub fn executions(&self, instance: &InstanceId, from: ExecutionId, limit: usize) -> Vec<ExecutionInfo> {
        let Some(found) = self.instances.get(instance) else { return Vec::new() };
        let info = |execution: u64| {
            let execution_id = ExecutionId(execution);
            let history_len = found.histories.get(&execution_id).map_or(0, |events| events.len() as u64);
            ExecutionInfo { execution_id, history_len }
        };
        let newest = found.record.execution_id;
        let kept = |info: &ExecutionInfo| info.history_len > 0 || info.execution_id == newest;
        (from.0.max(1)..=newest.0).map(info).filter(kept).take(limit).collect()
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
        let copy = |(key, value): (&String, &Bytes)| (key.clone(), value.clone());
        let mut entries: Vec<_> = wanted.take(page.limit.saturating_add(1)).map(copy).collect();
        let more = entries.len() > page.limit;
        entries.truncate(page.limit);
        let next = entries.last().filter(|_| more).map(|(key, _)| key.clone());
        KvPage { entries, next }
    }

    /// As [`Provider::messages`](crate::Provider::messages).
    pub fn messages(&mut self, instance: &InstanceId, limit: usize, now: Timestamp) -> InstanceMessages {
        self.expire(now);
        let inbox = self.inboxes.get(instance).cloned().unwrap_or_default();
        let lease = inbox.lease.and_then(|fence| self.leases.get(&fence));
        let mut turns: Vec<_> = inbox.messages.values().collect();
        turns.sort_by_key(|waiting| waiting.place);
        let turns = turns.into_iter().map(|waiting| {
            let has = lease.filter(|lease| lease.handed_out.contains(&waiting.message.id));
            waits(Queue::Turns(instance.clone()), waiting, inbox.not_before, has)
        });
        let of_instance = self.activities.iter().filter(|((of, _), _)| of == instance);
        let mut activities: Vec<_> = of_instance.map(|(_, waiting)| waiting).collect();
        activities.sort_by_key(|waiting| waiting.place);
        let activities = activities.into_iter().map(|waiting| {
            let has = waiting.lease.and_then(|fence| self.leases.get(&fence));
            waits(Queue::Activities(instance.clone()), waiting, Timestamp::EPOCH, has)
        });
        let messages = turns.chain(activities).take(limit).collect();
        InstanceMessages { lease: lease.map(Lease::holder), parked: None, messages }
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

fn waits(queue: Queue, waiting: &Waiting, not_before: Timestamp, lease: Option<&Lease>) -> WaitingMessage {
    let NewMessage { id, execution_id, topic, tag, session, data, .. } = waiting.message.clone();
    WaitingMessage {
        queue,
        id,
        execution_id,
        topic,
        tag,
        session,
        visible_at: waiting.place.0.max(not_before),
        attempt: waiting.attempt,
        lease: lease.map(Lease::holder),
        data,
    }
}
