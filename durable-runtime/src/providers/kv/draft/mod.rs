//! One transaction, checked and turned into a layer of changes. Nothing is written here.

mod entries;
mod executions;
mod labels;
mod queues;
mod records;

use std::collections::BTreeMap;
use std::time::Duration;

use bytes::Bytes;

use super::chunks;
use super::heads::{Head, Heads};
use super::index::{Index, MessageKey};
use super::keys;
use super::layer::Layer;
use super::read;
use super::record::{Kind, Place};
use super::store::{OrderedStore, StoreError};
use crate::clock::Timestamp;
use crate::ids::{ExecutionId, InstanceId, LockToken};
use crate::providers::{CommitError, ErrorKind, InstanceRecord, ProviderError, Transaction, TransactionOp};

const COMMIT: &str = "commit";

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
    records: BTreeMap<InstanceId, Change>,
}

/// A record that changes.
struct Change {
    record: InstanceRecord,
    /// In how many parts it was kept, and the labels it had.
    old_parts: u32,
    old_labels: BTreeMap<String, String>,
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
            TransactionOp::RetryWork { token, delay, data } => {
                let visible_at = self.ground.now.saturating_add(delay);
                self.retry_work(&token, visible_at, data)
            }
            TransactionOp::ReleaseWork { token, delay, give_back_attempt } => {
                self.release_work(&token, delay, give_back_attempt)
            }
            TransactionOp::CancelWork { queue, items } => {
                self.cancel(&queue, items);
                Ok(())
            }
            TransactionOp::PutMetadata { instance, entries } => self.put_metadata(&instance, entries),
            TransactionOp::PutLabels { instance, labels } => self.put_labels(&instance, labels),
            TransactionOp::PutKv { instance, entries } => self.put_entries(&instance, entries),
            TransactionOp::DeleteExecution { instance, execution_id } => self.delete_execution(&instance, execution_id),
            TransactionOp::DeleteInstance { instance } => self.delete_instance(&instance),
            TransactionOp::ReleaseLock { delay, give_back_attempt } => {
                self.release(delay.unwrap_or_default(), give_back_attempt)
            }
        }
    }

    fn finish(mut self) -> Result<Layer, CommitError> {
        for (instance, change) in std::mem::take(&mut self.records) {
            self.write_record(&change.record, change.old_parts);
            self.index_labels(&instance, &change.old_labels, &change.record.labels);
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

    fn release(&mut self, delay: Duration, give_back: bool) -> Result<(), CommitError> {
        let Some(fence) = self.fence.as_ref().map(|token| token.fence) else {
            let message = "`ReleaseLock` needs a fence: the lease that it ends";
            return Err(ProviderError::new(ErrorKind::Invalid, COMMIT, message).into());
        };
        let not_before = if delay.is_zero() { Timestamp::EPOCH } else { self.ground.now.saturating_add(delay) };
        self.end_lease(fence, not_before);
        if give_back {
            self.give_back(fence);
        }
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

    // Heads and keys

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

fn invalid(instance: &InstanceId, message: String) -> CommitError {
    ProviderError::new(ErrorKind::Invalid, COMMIT, message).instance(instance).into()
}
