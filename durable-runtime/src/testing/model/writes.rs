//! Writing to the model.

use std::collections::{BTreeMap, BTreeSet};
use std::time::Duration;

use bytes::Bytes;

use super::{Instance, Leased, Model, Waiting};
use crate::clock::Timestamp;
use crate::ids::{EventId, ExecutionId, InstanceId, LockToken, MessageId};
use crate::providers::{
    BatchResult, CommitError, ErrorKind, InstanceRecord, NewMessage, ProviderError, Queue, Transaction, TransactionOp,
};

/// One transaction on its way: what it changes is put in the place of the model if all of it is good.
struct Draft {
    model: Model,
    fence: Option<LockToken>,
    now: Timestamp,
    /// Instances whose revision was raised: once a transaction.
    raised: BTreeSet<InstanceId>,
    /// The lease ends with this transaction, and what stays is held back until then.
    released: Option<Timestamp>,
    /// The messages that came with that lease.
    handed_out: Vec<MessageId>,
    /// Those of which what stays was not handed out after all.
    given_back: Vec<MessageId>,
}

impl Model {
    /// As [`Provider::atomic_batch`](crate::Provider::atomic_batch).
    ///
    /// # Errors
    /// As the port says. The model is as it was then.
    pub fn commit(&mut self, transaction: &Transaction, now: Timestamp) -> Result<BatchResult, CommitError> {
        self.expire(now);
        let Transaction { fence, commit_id, ops } = transaction;
        if self.commits.contains(commit_id) {
            return Ok(BatchResult::kept(*commit_id));
        }
        let mut draft = Draft {
            handed_out: fence
                .as_ref()
                .and_then(|token| self.out(token))
                .map_or(Vec::new(), |lease| lease.handed_out.clone()),
            model: self.clone(),
            fence: fence.clone(),
            now,
            raised: BTreeSet::new(),
            released: None,
            given_back: Vec::new(),
        };
        draft.check_fence()?;
        for op in ops {
            draft.apply(op)?;
        }
        draft.finish();
        *self = draft.model;
        self.commits.insert(*commit_id);
        Ok(BatchResult::kept(*commit_id))
    }
}

impl Draft {
    fn check_fence(&self) -> Result<(), CommitError> {
        let Some(token) = &self.fence else { return Ok(()) };
        let newest = self.model.newest(&token.instance).map_or(ExecutionId::FIRST, |(newest, _)| newest);
        let holds = self.model.out(token).is_some_and(|lease| lease.on == Leased::Turn);
        if holds && newest == token.execution_id { Ok(()) } else { Err(CommitError::LeaseLost(token.clone())) }
    }

    fn apply(&mut self, op: &TransactionOp) -> Result<(), CommitError> {
        match op {
            TransactionOp::CreateExecution { instance, execution_id } => self.create(instance, *execution_id),
            TransactionOp::AppendHistory { instance, execution_id, first, events } => {
                self.append(instance, *execution_id, *first, events)
            }
            TransactionOp::EnqueueWork { queue, items } => {
                items.iter().for_each(|item| self.enqueue(queue, item));
                Ok(())
            }
            TransactionOp::AckMessages { instance, messages } => {
                if self.fence.as_ref().is_none_or(|fence| fence.instance != *instance) {
                    return Err(invalid("`AckMessages` needs the lease of this instance as fence")
                        .instance(instance)
                        .into());
                }
                self.cancel(&Queue::Turns(instance.clone()), messages);
                Ok(())
            }
            TransactionOp::AckWork { token } => {
                let key = self.leased_activity(token)?;
                self.cancel(&Queue::Activities(key.0), &[key.1]);
                Ok(())
            }
            TransactionOp::RetryWork { token, delay, data } => self.retry(token, *delay, data),
            TransactionOp::ReleaseWork { token, delay, give_back_attempt } => {
                self.release_work(token, delay.unwrap_or_default(), *give_back_attempt)
            }
            TransactionOp::CancelWork { queue, items } => {
                self.cancel(queue, items);
                Ok(())
            }
            TransactionOp::PutMetadata { instance, entries } => {
                let metadata = &mut self.changed(instance)?.metadata;
                entries.iter().for_each(|(key, value)| put(metadata, key, value.as_ref()));
                Ok(())
            }
            TransactionOp::PutLabels { instance, labels } => {
                let kept = &mut self.changed(instance)?.labels;
                labels.iter().for_each(|(name, value)| put(kept, name, value.as_ref()));
                Ok(())
            }
            TransactionOp::PutKv { instance, entries } => {
                self.changed(instance)?;
                if let Some(found) = self.model.instances.get_mut(instance) {
                    entries.iter().for_each(|(key, value)| put(&mut found.entries, key, value.as_ref()));
                }
                Ok(())
            }
            TransactionOp::DeleteExecution { instance, execution_id } => self.delete_execution(instance, *execution_id),
            TransactionOp::DeleteInstance { instance } => {
                self.delete(instance);
                Ok(())
            }
            TransactionOp::ReleaseLock { delay, give_back_attempt } => {
                self.release(delay.unwrap_or_default(), *give_back_attempt)
            }
        }
    }

    fn create(&mut self, instance: &InstanceId, execution_id: ExecutionId) -> Result<(), CommitError> {
        let newest = self.model.newest(instance).map_or(ExecutionId(0), |(newest, _)| newest);
        if execution_id != newest.next() {
            return Err(CommitError::ExecutionExists { instance: instance.clone(), newest });
        }
        if newest == ExecutionId(0) {
            let (metadata, labels, id) = (BTreeMap::new(), BTreeMap::new(), instance.clone());
            let record = InstanceRecord { instance: id, execution_id, revision: 1, metadata, labels };
            self.model
                .instances
                .insert(instance.clone(), Instance { record, histories: BTreeMap::new(), entries: BTreeMap::new() });
            self.raised.insert(instance.clone());
        } else {
            self.changed(instance)?.execution_id = execution_id;
        }
        // A lease belongs to one execution: when a newer one is opened, it ends.
        let lease = self.model.inboxes.get(instance).and_then(|inbox| inbox.lease);
        let outlived = lease
            .filter(|fence| self.model.leases.get(fence).is_some_and(|lease| lease.token.execution_id < execution_id));
        outlived.into_iter().for_each(|fence| self.model.end_lease(fence, Timestamp::EPOCH));
        Ok(())
    }

    fn append(
        &mut self,
        instance: &InstanceId,
        execution_id: ExecutionId,
        first: EventId,
        events: &[Bytes],
    ) -> Result<(), CommitError> {
        let missing = || CommitError::NoInstance(instance.clone());
        let found = self.model.instances.get_mut(instance).ok_or_else(missing)?;
        if execution_id > found.record.execution_id || execution_id < ExecutionId::FIRST {
            let message = format!("there is no execution {execution_id}, the newest is {}", found.record.execution_id);
            return Err(invalid(&message).instance(instance).into());
        }
        let history = found.histories.entry(execution_id).or_default();
        let expected = EventId(history.len() as u64 + 1);
        if first != expected {
            let instance = instance.clone();
            return Err(CommitError::HistoryConflict { instance, execution_id, expected, given: first });
        }
        history.extend(events.iter().cloned());
        Ok(())
    }

    fn enqueue(&mut self, queue: &Queue, item: &NewMessage) {
        self.model.arrivals += 1;
        let place = (item.visible_at.unwrap_or(self.now), self.model.arrivals);
        let waiting =
            Waiting { message: item.clone(), place, attempt: 0, lease: None, freed_at: self.model.handed_out };
        match queue {
            Queue::Turns(instance) => self.model.with_inbox(instance, |inbox| {
                inbox.messages.entry(item.id.clone()).or_insert(waiting);
            }),
            Queue::Activities(instance) => {
                self.model.activities.entry((instance.clone(), item.id.clone())).or_insert(waiting);
            }
        }
    }

    fn cancel(&mut self, queue: &Queue, items: &[MessageId]) {
        for id in items {
            match queue {
                Queue::Turns(instance) => {
                    self.model.with_inbox(instance, |inbox| inbox.messages.remove(id));
                }
                Queue::Activities(instance) => {
                    let gone = self.model.activities.remove(&(instance.clone(), id.clone()));
                    if let Some(fence) = gone.and_then(|activity| activity.lease) {
                        self.model.leases.remove(&fence);
                    }
                }
            }
        }
    }

    fn leased_activity(&self, token: &LockToken) -> Result<(InstanceId, MessageId), CommitError> {
        match self.model.out(token).map(|lease| &lease.on) {
            Some(Leased::Activity(id)) => Ok((token.instance.clone(), id.clone())),
            Some(Leased::Turn) | None => Err(CommitError::WorkGone(token.clone())),
        }
    }

    fn retry(&mut self, token: &LockToken, delay: Duration, data: &Bytes) -> Result<(), CommitError> {
        let key = self.leased_activity(token)?;
        self.model.leases.remove(&token.fence);
        self.model.arrivals += 1;
        if let Some(waiting) = self.model.activities.get_mut(&key) {
            waiting.place = (self.now.saturating_add(delay), self.model.arrivals);
            waiting.message.data = data.clone();
            waiting.lease = None;
            waiting.freed_at = self.model.handed_out;
        }
        Ok(())
    }

    fn release_work(&mut self, token: &LockToken, delay: Duration, give_back: bool) -> Result<(), CommitError> {
        let key = self.leased_activity(token)?;
        self.model.leases.remove(&token.fence);
        if !delay.is_zero() {
            self.model.arrivals += 1;
        }
        let arrivals = self.model.arrivals;
        if let Some(waiting) = self.model.activities.get_mut(&key) {
            waiting.lease = None;
            waiting.freed_at = self.model.handed_out;
            waiting.attempt -= u32::from(give_back);
            if !delay.is_zero() {
                waiting.place = (self.now.saturating_add(delay), arrivals);
            }
        }
        Ok(())
    }

    fn delete_execution(&mut self, instance: &InstanceId, execution_id: ExecutionId) -> Result<(), CommitError> {
        let missing = || CommitError::NoInstance(instance.clone());
        let found = self.model.instances.get_mut(instance).ok_or_else(missing)?;
        if execution_id >= found.record.execution_id {
            return Err(invalid("only an older execution can be deleted").instance(instance).into());
        }
        found.histories.remove(&execution_id);
        Ok(())
    }

    /// The record, with its revision raised by this transaction.
    fn changed(&mut self, instance: &InstanceId) -> Result<&mut InstanceRecord, CommitError> {
        let missing = || CommitError::NoInstance(instance.clone());
        let record = &mut self.model.instances.get_mut(instance).ok_or_else(missing)?.record;
        record.revision += u64::from(self.raised.insert(instance.clone()));
        Ok(record)
    }

    fn delete(&mut self, instance: &InstanceId) {
        self.model.instances.remove(instance);
        self.raised.remove(instance);
        self.model.inboxes.remove(instance);
        self.model.activities.retain(|(of, _), _| of != instance);
        self.model.leases.retain(|_, lease| lease.token.instance != *instance);
    }

    fn release(&mut self, delay: Duration, give_back: bool) -> Result<(), CommitError> {
        if self.fence.is_none() {
            return Err(invalid("`ReleaseLock` needs a fence").into());
        }
        if give_back {
            self.given_back = self.handed_out.clone();
        }
        self.released = Some(if delay.is_zero() { Timestamp::EPOCH } else { self.now.saturating_add(delay) });
        Ok(())
    }

    fn finish(&mut self) {
        if let Some((token, not_before)) = self.fence.clone().zip(self.released) {
            for id in std::mem::take(&mut self.given_back) {
                if let Some(waiting) =
                    self.model.inboxes.get_mut(&token.instance).and_then(|inbox| inbox.messages.get_mut(&id))
                {
                    waiting.attempt = waiting.attempt.saturating_sub(1);
                }
            }
            self.model.end_lease(token.fence, not_before);
            // It may have ended in this transaction already, with its execution; what stays waits all the same.
            self.model.with_inbox(&token.instance, |inbox| inbox.not_before = not_before);
        }
    }
}

fn put<T: Clone>(kept: &mut BTreeMap<String, T>, key: &str, value: Option<&T>) {
    match value {
        Some(value) => drop(kept.insert(key.to_owned(), value.clone())),
        None => drop(kept.remove(key)),
    }
}

fn invalid(message: &str) -> ProviderError {
    ProviderError::new(ErrorKind::Invalid, "commit", message)
}
