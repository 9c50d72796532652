//! Messages: put, taken away, put back.

use std::sync::Arc;
use std::time::Duration;

use bytes::Bytes;

use super::super::index::{Lane, MessageKey, Queued};
use super::super::keys::{self, QueueKind};
use super::super::read;
use super::super::record::Kind;
use super::super::values::{self, MessageValue};
use super::Draft;
use crate::clock::Timestamp;
use crate::ids::{InstanceId, LockToken, MessageId};
use crate::providers::{CommitError, NewMessage, Queue};

impl Draft<'_> {
    pub(super) fn enqueue(&mut self, queue: &Queue, items: Vec<NewMessage>) -> Result<(), CommitError> {
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
                session: item.session,
                data: item.data,
            };
            self.put_message(key, message, 0);
        }
        Ok(())
    }

    pub(super) fn put_message(&mut self, key: MessageKey, mut message: MessageValue, old_parts: u32) {
        *self.sequence += 1;
        message.sequence = *self.sequence;
        let stored = keys::message(key.kind, &key.instance, &key.id);
        let parts = self.write(Kind::Message, &key.instance, &stored, &message.encode());
        self.drop_parts(&stored, parts..old_parts);
        self.forget_count(&key);
        let MessageValue { topic, tag, session, .. } = message;
        let in_lane = key.kind == QueueKind::Activities || !topic.is_empty();
        let lane = in_lane.then(|| Arc::new(Lane { topic, tag, session }));
        let queued = Queued {
            place: (message.visible_at, message.sequence),
            execution_id: message.execution_id,
            attempt: message.attempt,
            parts,
            recovered: false,
            lane,
        };
        self.layer.touched.insert(key.instance.clone());
        self.layer.messages.insert(key, Some(queued));
    }

    pub(super) fn ack_messages(&mut self, instance: &InstanceId, messages: Vec<MessageId>) -> Result<(), CommitError> {
        self.fence_of(instance, "AckMessages")?;
        self.cancel(&Queue::Turns(instance.clone()), messages);
        Ok(())
    }

    pub(super) fn ack_work(&mut self, token: &LockToken) -> Result<(), CommitError> {
        let key = self.leased_activity(token)?;
        self.remove_message(key);
        Ok(())
    }

    pub(super) fn retry_work(
        &mut self,
        token: &LockToken,
        visible_at: Timestamp,
        data: Bytes,
    ) -> Result<(), CommitError> {
        let key = self.leased_activity(token)?;
        let queued = self.queued(&key).ok_or_else(|| CommitError::WorkGone(token.clone()))?.clone();
        let Lane { topic, tag, session } = queued.lane.as_deref().cloned().unwrap_or_default();
        let Queued { execution_id, attempt, parts, .. } = queued;
        let message = MessageValue { sequence: 0, visible_at, execution_id, attempt, topic, tag, session, data };
        self.end_lease(token.fence, Timestamp::EPOCH);
        self.put_message(key, message, parts);
        Ok(())
    }

    pub(super) fn release_work(
        &mut self,
        token: &LockToken,
        delay: Option<Duration>,
        give_back: bool,
    ) -> Result<(), CommitError> {
        let key = self.leased_activity(token)?;
        let mut queued = self.queued(&key).ok_or_else(|| CommitError::WorkGone(token.clone()))?.clone();
        queued.attempt = queued.attempt.saturating_sub(u32::from(give_back));
        self.end_lease(token.fence, Timestamp::EPOCH);
        if let Some(delay) = delay.filter(|delay| !delay.is_zero()) {
            let value = read::message(&key, |key| self.get(key))?;
            let mut value = value.ok_or_else(|| CommitError::WorkGone(token.clone()))?;
            value.visible_at = self.ground.now.saturating_add(delay);
            value.attempt = queued.attempt;
            self.put_message(key, value, queued.parts);
            return Ok(());
        }
        if queued.recovered {
            self.write_count(&key, queued.attempt);
        }
        self.layer.messages.insert(key, Some(queued));
        Ok(())
    }

    /// What stays of the messages that were handed out under this lease was not handed out.
    pub(super) fn give_back(&mut self, fence: u64) {
        self.layer.given_back.insert(fence);
        let Some(instance) = self.fence.as_ref().map(|token| token.instance.clone()) else { return };
        let index = self.ground.index;
        for id in index.handed_out(fence) {
            let key = MessageKey { kind: QueueKind::Turns, instance: instance.clone(), id: id.clone() };
            let count = self.queued(&key).filter(|queued| queued.recovered).map(|queued| queued.attempt);
            if let Some(count) = count {
                self.write_count(&key, count.saturating_sub(1));
            }
        }
    }

    fn write_count(&mut self, key: &MessageKey, attempt: u32) {
        let (key, value) = values::count(key, attempt);
        self.layer.writes.insert(key, Some(value));
    }

    fn forget_count(&mut self, key: &MessageKey) {
        if self.queued(key).is_some_and(|queued| queued.recovered) {
            let stored = keys::message(key.kind, &key.instance, &key.id);
            self.layer.writes.insert(keys::attempts(&stored), None);
        }
    }

    pub(super) fn cancel(&mut self, queue: &Queue, items: Vec<MessageId>) {
        for id in items {
            self.remove_message(message_key(queue, id));
        }
    }

    pub(super) fn remove_message(&mut self, key: MessageKey) {
        let Some(parts) = self.queued(&key).map(|queued| queued.parts) else { return };
        let stored = keys::message(key.kind, &key.instance, &key.id);
        self.drop_parts(&stored, 0..parts);
        self.forget_count(&key);
        self.layer.writes.insert(stored, None);
        self.layer.touched.insert(key.instance.clone());
        if key.kind == QueueKind::Activities
            && let Some(fence) = self.ground.index.activity_lease(&key.instance, &key.id)
        {
            self.end_lease(fence, Timestamp::EPOCH);
        }
        self.layer.messages.insert(key, None);
    }

    pub(super) fn queued(&self, key: &MessageKey) -> Option<&Queued> {
        let changed = self.layer.messages.get(key).or_else(|| self.ground.group.messages.get(key));
        changed.map_or_else(|| self.ground.index.message(key), Option::as_ref)
    }
}

fn message_key(queue: &Queue, id: MessageId) -> MessageKey {
    let kind = match queue {
        Queue::Turns(_) => QueueKind::Turns,
        Queue::Activities(_) => QueueKind::Activities,
    };
    MessageKey { kind, instance: queue.instance().clone(), id }
}
