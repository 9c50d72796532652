//! Reading the model.

use super::{Leased, Model};
use crate::clock::Timestamp;
use crate::ids::{EventId, ExecutionId, InstanceId};
use crate::providers::{InstancePage, InstanceRecord, PageRequest, Stats, StoredEvent};

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
        let has_all =
            |record: &&InstanceRecord| page.labels.iter().all(|(name, value)| record.labels.get(name) == Some(value));
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
