//! One transaction, checked and turned into a layer of changes. Nothing is written here.

use std::collections::BTreeMap;
use std::sync::Arc;
use std::time::Duration;

use bytes::Bytes;

use super::chunks;
use super::heads::{Head, Heads};
use super::index::{Index, Lane, MessageKey, Queued};
use super::keys::{self, QueueKind};
use super::layer::Layer;
use super::read;
use super::record::{Kind, Place};
use super::store::{Order, OrderedStore, StoreError};
use super::values::{self, MessageValue};
use crate::clock::Timestamp;
use crate::ids::{EventId, ExecutionId, InstanceId, LockToken, MessageId};
use crate::providers::{
    CommitError, ErrorKind, InstanceRecord, NewMessage, ProviderError, Queue, Transaction, TransactionOp,
};

const COMMIT: &str = "commit";
const KEYS_AT_ONCE: usize = 1024;

/// What a transaction is checked against: what is on disk, and what its group has changed so far.
pub(super) struct Ground<'a> {
    pub(super) store: &'a dyn OrderedStore,
    pub(super) index: &'a Index,
    pub(super) heads: &'a Heads,
    pub(super) group: &'a Layer,
    pub(super) now: Timestamp,
}

/// See the module.
pub(super) struct Draft<'a> {
    ground: Ground<'a>,
    /// Gives numbers to messages.
    sequence: &'a mut u64,
    fence: Option<LockToken>,
    layer: Layer,
    /// Records that change, each written once at the end.
    records: BTreeMap<InstanceId, (InstanceRecord, u32)>,
}

impl<'a> Draft<'a> {
    /// The changes of a transaction, or why it cannot be kept.
    pub(super) fn of(
        transaction: Transaction,
        ground: Ground<'a>,
        sequence: &'a mut u64,
    ) -> Result<Layer, CommitError> {
        let Transaction { fence, ops, .. } = transaction;
        let mut draft = Self { ground, sequence, fence, layer: Layer::default(), records: BTreeMap::new() };
        draft.check_fence()?;
        for op in ops {
            draft.apply(op)?;
        }
        draft.finish()
    }

    fn apply(&mut self, op: TransactionOp) -> Result<(), CommitError> {
        match op {
            TransactionOp::CreateExecution { instance, execution_id } => self.create_execution(&instance, execution_id),
            TransactionOp::AppendHistory { instance, execution_id, first, events } => {
                self.append_history(&instance, execution_id, first, &events)
            }
            TransactionOp::EnqueueWork { queue, items } => self.enqueue(&queue, items),
            TransactionOp::AckMessages { instance, messages } => self.ack_messages(&instance, messages),
            TransactionOp::AckWork { token } => self.ack_work(&token),
            TransactionOp::RetryWork { token, visible_at, data } => self.retry_work(&token, visible_at, data),
            TransactionOp::CancelWork { queue, items } => {
                self.cancel(&queue, items);
                Ok(())
            }
            TransactionOp::PutMetadata { instance, entries } => self.put_metadata(&instance, entries),
            TransactionOp::PutLabels { instance, labels } => self.put_labels(&instance, labels),
            TransactionOp::DeleteInstance { instance } => self.delete_instance(&instance),
            TransactionOp::ReleaseLock { delay } => self.release(delay.unwrap_or_default()),
        }
    }

    fn finish(mut self) -> Result<Layer, CommitError> {
        for (instance, (record, old_parts)) in std::mem::take(&mut self.records) {
            self.write_record(&record, old_parts);
            self.layer.changed.insert(instance);
        }
        Ok(self.layer)
    }

    // Leases

    fn check_fence(&mut self) -> Result<(), CommitError> {
        let Some(token) = self.fence.clone() else { return Ok(()) };
        let ended = self.ground.group.ended.contains_key(&token.fence);
        if ended || !self.ground.index.holds_turn(&token, self.ground.now) {
            return Err(CommitError::LeaseLost(token));
        }
        let newest = self.head(&token.instance)?.map_or(ExecutionId::FIRST, |head| head.execution_id);
        if newest != token.execution_id {
            return Err(CommitError::LeaseLost(token));
        }
        self.layer.pinned.insert(token.fence);
        Ok(())
    }

    /// The fence, if it is that of this instance.
    fn fence_of(&self, instance: &InstanceId, op: &str) -> Result<&LockToken, CommitError> {
        let fence = self.fence.as_ref().filter(|fence| fence.instance == *instance);
        fence.ok_or_else(|| invalid(instance, format!("`{op}` needs the lease of this instance as fence")))
    }

    fn leased_activity(&self, token: &LockToken) -> Result<MessageKey, CommitError> {
        let ended = self.ground.group.ended.contains_key(&token.fence) || self.layer.ended.contains_key(&token.fence);
        let key = self.ground.index.leased_activity(token, self.ground.now).filter(|_| !ended);
        key.ok_or_else(|| CommitError::WorkGone(token.clone()))
    }

    fn end_lease(&mut self, fence: u64, not_before: Timestamp) {
        self.layer.pinned.insert(fence);
        self.layer.ended.insert(fence, not_before);
    }

    fn release(&mut self, delay: Duration) -> Result<(), CommitError> {
        let Some(fence) = self.fence.as_ref().map(|token| token.fence) else {
            let message = "`ReleaseLock` needs a fence: the lease that it ends";
            return Err(ProviderError::new(ErrorKind::Invalid, COMMIT, message).into());
        };
        let not_before = if delay.is_zero() { Timestamp::EPOCH } else { self.ground.now.saturating_add(delay) };
        self.end_lease(fence, not_before);
        Ok(())
    }

    /// A lease belongs to one execution: when a newer one is opened, it ends.
    fn end_outlived_lease(&mut self, instance: &InstanceId, newest: ExecutionId) {
        let outlived = self.ground.index.turn_lease(instance);
        let outlived = outlived.filter(|fence| self.ground.index.execution_of(*fence).is_some_and(|of| of < newest));
        if let Some(fence) = outlived {
            self.end_lease(fence, Timestamp::EPOCH);
        }
    }

    // Executions and histories

    fn create_execution(&mut self, instance: &InstanceId, execution_id: ExecutionId) -> Result<(), CommitError> {
        let head = self.head(instance)?;
        let newest = head.map_or(ExecutionId(0), |head| head.execution_id);
        if execution_id != newest.next() {
            return Err(CommitError::ExecutionExists { instance: instance.clone(), newest });
        }
        match head {
            Some(head) => {
                self.layer.older.insert((instance.clone(), newest), head.history_len);
                self.record(instance)?.execution_id = execution_id;
            }
            None => self.create_instance(instance, execution_id),
        }
        let revision = self.records.get(instance).map_or(0, |(record, _)| record.revision);
        self.put_head(instance, Some(Head { execution_id, history_len: 0, revision }));
        self.end_outlived_lease(instance, execution_id);
        Ok(())
    }

    fn create_instance(&mut self, instance: &InstanceId, execution_id: ExecutionId) {
        let (metadata, labels) = (BTreeMap::new(), BTreeMap::new());
        let record = InstanceRecord { instance: instance.clone(), execution_id, revision: 1, metadata, labels };
        self.records.insert(instance.clone(), (record, 0));
        self.layer.created += 1;
    }

    fn append_history(
        &mut self,
        instance: &InstanceId,
        execution_id: ExecutionId,
        first: EventId,
        events: &[Bytes],
    ) -> Result<(), CommitError> {
        let head = self.head(instance)?.ok_or_else(|| CommitError::NoInstance(instance.clone()))?;
        let kept = self.history_len(instance, execution_id, &head)?;
        let expected = EventId(kept + 1);
        if first != expected {
            return Err(CommitError::HistoryConflict {
                instance: instance.clone(),
                execution_id,
                expected,
                given: first,
            });
        }
        let history_len = kept + events.len() as u64;
        if execution_id == head.execution_id {
            self.put_head(instance, Some(Head { history_len, ..head }));
        } else {
            self.layer.older.insert((instance.clone(), execution_id), history_len);
        }
        if !events.is_empty() {
            let key = keys::history(instance, execution_id, first);
            self.write(Kind::History, instance, &key, &values::encode_events(events));
        }
        Ok(())
    }

    fn history_len(&self, instance: &InstanceId, execution_id: ExecutionId, head: &Head) -> Result<u64, CommitError> {
        if execution_id == head.execution_id {
            return Ok(head.history_len);
        }
        if execution_id > head.execution_id || execution_id < ExecutionId::FIRST {
            let message = format!("there is no execution {execution_id}, the newest is {}", head.execution_id);
            return Err(invalid(instance, message));
        }
        let key = (instance.clone(), execution_id);
        let changed = self.layer.older.get(&key).or_else(|| self.ground.group.older.get(&key));
        changed.map_or_else(|| Ok(read::history_len(self.ground.store, instance, execution_id)?), |len| Ok(*len))
    }

    fn head(&self, instance: &InstanceId) -> Result<Option<Head>, CommitError> {
        let changed = self.layer.heads.get(instance).or_else(|| self.ground.group.heads.get(instance));
        if let Some(head) = changed.copied().or_else(|| self.ground.heads.get(instance)) {
            return Ok(head);
        }
        let head = read::head(self.ground.store, instance)?;
        self.ground.heads.put(instance, head);
        Ok(head)
    }

    fn put_head(&mut self, instance: &InstanceId, head: Option<Head>) {
        self.layer.touched.insert(instance.clone());
        self.layer.heads.insert(instance.clone(), head);
    }

    // Queues

    fn enqueue(&mut self, queue: &Queue, items: Vec<NewMessage>) -> Result<(), CommitError> {
        for item in items {
            let key = message_key(queue, item.id);
            if self.queued(&key).is_some() {
                continue;
            }
            let message = MessageValue {
                sequence: 0,
                visible_at: item.visible_at.unwrap_or(self.ground.now),
                execution_id: item.execution_id,
                attempt: 0,
                topic: item.topic,
                tag: item.tag,
                data: item.data,
            };
            self.put_message(key, message, 0);
        }
        Ok(())
    }

    fn put_message(&mut self, key: MessageKey, mut message: MessageValue, old_parts: u32) {
        *self.sequence += 1;
        message.sequence = *self.sequence;
        let stored = keys::message(key.kind, &key.instance, &key.id);
        let parts = self.write(Kind::Message, &key.instance, &stored, &message.encode());
        self.drop_parts(&stored, parts..old_parts);
        let lane =
            (key.kind == QueueKind::Activities).then(|| Arc::new(Lane { topic: message.topic, tag: message.tag }));
        let queued = Queued {
            place: (message.visible_at, message.sequence),
            execution_id: message.execution_id,
            attempt: message.attempt,
            parts,
            lane,
        };
        self.layer.touched.insert(key.instance.clone());
        self.layer.messages.insert(key, Some(queued));
    }

    fn ack_messages(&mut self, instance: &InstanceId, messages: Vec<MessageId>) -> Result<(), CommitError> {
        self.fence_of(instance, "AckMessages")?;
        self.cancel(&Queue::Turns(instance.clone()), messages);
        Ok(())
    }

    fn ack_work(&mut self, token: &LockToken) -> Result<(), CommitError> {
        let key = self.leased_activity(token)?;
        self.remove_message(key);
        Ok(())
    }

    fn retry_work(&mut self, token: &LockToken, visible_at: Timestamp, data: Bytes) -> Result<(), CommitError> {
        let key = self.leased_activity(token)?;
        let queued = self.queued(&key).ok_or_else(|| CommitError::WorkGone(token.clone()))?.clone();
        let (topic, tag) = queued.lane.map(|lane| (lane.topic.clone(), lane.tag.clone())).unwrap_or_default();
        let Queued { execution_id, attempt, parts, .. } = queued;
        let message = MessageValue { sequence: 0, visible_at, execution_id, attempt, topic, tag, data };
        self.end_lease(token.fence, Timestamp::EPOCH);
        self.put_message(key, message, parts);
        Ok(())
    }

    fn cancel(&mut self, queue: &Queue, items: Vec<MessageId>) {
        for id in items {
            self.remove_message(message_key(queue, id));
        }
    }

    fn remove_message(&mut self, key: MessageKey) {
        let Some(parts) = self.queued(&key).map(|queued| queued.parts) else { return };
        let stored = keys::message(key.kind, &key.instance, &key.id);
        self.drop_parts(&stored, 0..parts);
        self.layer.writes.insert(stored, None);
        self.layer.touched.insert(key.instance.clone());
        if key.kind == QueueKind::Activities
            && let Some(fence) = self.ground.index.activity_lease(&key.instance, &key.id)
        {
            self.end_lease(fence, Timestamp::EPOCH);
        }
        self.layer.messages.insert(key, None);
    }

    fn queued(&self, key: &MessageKey) -> Option<&Queued> {
        let changed = self.layer.messages.get(key).or_else(|| self.ground.group.messages.get(key));
        changed.map_or_else(|| self.ground.index.message(key), Option::as_ref)
    }

    // Records of instances

    fn put_metadata(
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

    fn put_labels(&mut self, instance: &InstanceId, changes: Vec<(String, Option<String>)>) -> Result<(), CommitError> {
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
    fn record(&mut self, instance: &InstanceId) -> Result<&mut InstanceRecord, CommitError> {
        if !self.records.contains_key(instance) {
            let head = self.head(instance)?.ok_or_else(|| CommitError::NoInstance(instance.clone()))?;
            let kept = read::instance(instance, |key| self.get(key))?;
            let (mut record, parts) = kept.ok_or_else(|| CommitError::NoInstance(instance.clone()))?;
            record.revision += 1;
            let head = Head { revision: record.revision, ..head };
            self.put_head(instance, Some(head));
            self.records.insert(instance.clone(), (record, parts));
        }
        let record = self.records.get_mut(instance).map(|(record, _)| record);
        record.ok_or_else(|| CommitError::NoInstance(instance.clone()))
    }

    fn write_record(&mut self, record: &InstanceRecord, old_parts: u32) {
        let key = keys::instance(&record.instance);
        let parts = self.write(Kind::Instance, &record.instance, &key, &values::encode_instance(record));
        self.drop_parts(&key, parts..old_parts);
    }

    fn delete_instance(&mut self, instance: &InstanceId) -> Result<(), CommitError> {
        if self.head(instance)?.is_some() {
            self.layer.deleted += 1;
            self.put_head(instance, None);
            self.layer.changed.insert(instance.clone());
        }
        self.records.remove(instance);
        for key in self.messages_of(instance) {
            self.remove_message(key);
        }
        if let Some(fence) = self.ground.index.turn_lease(instance) {
            self.end_lease(fence, Timestamp::EPOCH);
        }
        self.drop_all_keys(instance).map_err(|error| error.during(COMMIT).instance(instance).into())
    }

    fn messages_of(&self, instance: &InstanceId) -> Vec<MessageKey> {
        let drafted = self.layer.messages.keys().chain(self.ground.group.messages.keys());
        let mut keys = self.ground.index.messages_of(instance);
        keys.extend(drafted.filter(|key| key.instance == *instance).cloned());
        keys
    }

    fn drop_all_keys(&mut self, instance: &InstanceId) -> Result<(), StoreError> {
        for range in keys::all_of(instance) {
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
        }
        Ok(())
    }

    // Keys

    fn get(&self, key: &[u8]) -> Result<Option<Bytes>, StoreError> {
        match self.layer.writes.get(key).or_else(|| self.ground.group.writes.get(key)) {
            Some(value) => Ok(value.as_deref().map(Bytes::copy_from_slice)),
            None => self.ground.store.get(key),
        }
    }

    fn write(&mut self, kind: Kind, owner: &InstanceId, key: &[u8], body: &[u8]) -> u32 {
        let place = Place { kind, owner: Some(owner), key };
        let writes = &mut self.layer.writes;
        chunks::write(place, body, |key, value| {
            writes.insert(key, Some(value));
        })
    }

    fn drop_parts(&mut self, key: &[u8], parts: std::ops::Range<u32>) {
        self.layer.writes.extend(parts.map(|part| (keys::chunk(key, part), None)));
    }
}

fn message_key(queue: &Queue, id: MessageId) -> MessageKey {
    let kind = match queue {
        Queue::Turns(_) => QueueKind::Turns,
        Queue::Activities(_) => QueueKind::Activities,
    };
    MessageKey { kind, instance: queue.instance().clone(), id }
}

fn invalid(instance: &InstanceId, message: String) -> CommitError {
    ProviderError::new(ErrorKind::Invalid, COMMIT, message).instance(instance).into()
}
