//! Records of instances, and their end.

use std::ops::Range;

use bytes::Bytes;

use super::super::heads::Head;
use super::super::index::MessageKey;
use super::super::record::Kind;
use super::super::store::{Order, StoreError};
use super::super::{keys, read, values};
use super::{COMMIT, Change, Draft};
use crate::clock::Timestamp;
use crate::ids::InstanceId;
use crate::providers::{CommitError, InstanceRecord};

/// How many keys are looked at together when all of an instance are deleted.
const KEYS_AT_ONCE: usize = 1024;

impl Draft<'_> {
    pub(super) fn put_metadata(
        &mut self,
        instance: &InstanceId,
        entries: Vec<(String, Option<Bytes>)>,
    ) -> Result<(), CommitError> {
        let metadata = &mut self.record(instance)?.metadata;
        for (key, value) in entries {
            match value {
                Some(value) => metadata.insert(key, value),
                None => metadata.remove(&key),
            };
        }
        Ok(())
    }

    pub(super) fn put_labels(
        &mut self,
        instance: &InstanceId,
        changes: Vec<(String, Option<String>)>,
    ) -> Result<(), CommitError> {
        let labels = &mut self.record(instance)?.labels;
        for (key, value) in changes {
            match value {
                Some(value) => labels.insert(key, value),
                None => labels.remove(&key),
            };
        }
        Ok(())
    }

    /// The record as this transaction changes it. Its revision is raised once.
    pub(super) fn record(&mut self, instance: &InstanceId) -> Result<&mut InstanceRecord, CommitError> {
        if !self.records.contains_key(instance) {
            let head = self.head(instance)?.ok_or_else(|| CommitError::NoInstance(instance.clone()))?;
            let kept = read::instance(instance, |key| self.get(key))?;
            let (mut record, parts) = kept.ok_or_else(|| CommitError::NoInstance(instance.clone()))?;
            record.revision += 1;
            let head = Head { revision: record.revision, ..head };
            self.put_head(instance, Some(head));
            let old_labels = record.labels.clone();
            self.records.insert(instance.clone(), Change { record, old_parts: parts, old_labels });
        }
        let record = self.records.get_mut(instance).map(|change| &mut change.record);
        record.ok_or_else(|| CommitError::NoInstance(instance.clone()))
    }

    pub(super) fn write_record(&mut self, record: &InstanceRecord, old_parts: u32) {
        let key = keys::instance(&record.instance);
        let parts = self.write(Kind::Instance, &record.instance, &key, &values::encode_instance(record));
        self.drop_parts(&key, parts..old_parts);
    }

    pub(super) fn delete_instance(&mut self, instance: &InstanceId) -> Result<(), CommitError> {
        // Found by its key alone: what is damaged can be deleted too.
        let key = keys::instance(instance);
        let failed = |error: StoreError| error.during(COMMIT).instance(instance);
        let drafted = self.records.remove(instance).is_some();
        self.unindex_labels(instance).map_err(failed)?;
        let kept = self.get(&key).map_err(failed)?.is_some();
        if drafted || kept {
            self.layer.deleted += 1;
            self.layer.changed.insert(instance.clone());
        }
        self.put_head(instance, None);
        self.layer.wiped.insert(instance.clone());
        for key in self.messages_of(instance) {
            self.remove_message(key);
        }
        if let Some(fence) = self.ground.index.turn_lease(instance) {
            self.end_lease(fence, Timestamp::EPOCH);
        }
        for range in keys::all_of(instance) {
            self.drop_range(range).map_err(failed)?;
        }
        Ok(())
    }

    pub(super) fn messages_of(&self, instance: &InstanceId) -> Vec<MessageKey> {
        let drafted = self.layer.messages.keys().chain(self.ground.group.messages.keys());
        let mut keys = self.ground.index.messages_of(instance);
        keys.extend(drafted.filter(|key| key.instance == *instance).cloned());
        keys
    }

    /// Deletes every key of this range.
    pub(super) fn drop_range(&mut self, range: Range<Vec<u8>>) -> Result<(), StoreError> {
        let drafted = self.layer.writes.range(range.clone()).chain(self.ground.group.writes.range(range.clone()));
        let mut gone: Vec<Vec<u8>> = drafted.map(|(key, _)| key.clone()).collect();
        let mut from = range.start;
        loop {
            let pairs = self.ground.store.scan(&from..&range.end, Order::Ascending, KEYS_AT_ONCE)?;
            let Some((last, _)) = pairs.last() else { break };
            from = [last, [0].as_slice()].concat();
            gone.extend(pairs.iter().map(|(key, _)| key.to_vec()));
        }
        self.layer.writes.extend(gone.into_iter().map(|key| (key, None)));
        Ok(())
    }
}
