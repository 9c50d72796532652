//! Messages: put, taken away, put back.

use std::time::Duration;

use bytes::Bytes;

use super::super::lease::{self, Lease};
use super::super::read::{self, ACTIVITIES, Message, TURNS};
use super::Write;
use crate::clock::Timestamp;
use crate::ids::{InstanceId, LockToken, MessageId};
use crate::providers::record::Kind;
use crate::providers::{CommitError, NewMessage, Queue};

const PUT: &str = "INSERT INTO messages (instance, queue, id, sequence, visible_at, execution, topic, tag, session, attempt) \
                   VALUES (?1, ?2, ?3, ?4, ?5, ?6, ?7, ?8, ?9, 0) ON CONFLICT (instance, queue, id) DO NOTHING";
const PUT_BODY: &str = "INSERT INTO bodies (sequence, data) VALUES (?1, ?2)";
const TAKE: &str = "DELETE FROM messages WHERE instance = ?1 AND queue = ?2 AND id = ?3 RETURNING sequence, fence";
const BODY: &str = "SELECT data FROM bodies WHERE sequence = ?1";
const TAKE_BODY: &str = "DELETE FROM bodies WHERE sequence = ?1";
const PUT_BACK: &str = "UPDATE messages SET sequence = ?3, visible_at = ?4, fence = NULL \
                        WHERE instance = ?1 AND queue = 1 AND id = ?2";

impl Write<'_> {
    pub(super) fn enqueue(&mut self, queue: &Queue, items: &[NewMessage]) -> Result<(), CommitError> {
        let instance = queue.instance();
        let number = number_of(queue);
        for item in items {
            let message = Message {
                queue: number,
                id: item.id.clone(),
                sequence: self.counters.next_sequence(),
                visible_at: item.visible_at.unwrap_or(self.now),
                execution_id: item.execution_id,
                topic: item.topic.clone(),
                tag: item.tag.clone(),
                session: item.session.clone(),
            };
            let params = [
                instance.into(),
                number.into(),
                (&message.id).into(),
                message.sequence.into(),
                message.visible_at.into(),
                message.execution_id.into(),
                message.topic.as_str().into(),
                message.tag.as_deref().into(),
                message.session.as_deref().into(),
            ];
            // One that is there already stays as it is.
            if self.sql.execute(PUT, &params)? > 0 {
                self.put_body(instance, &message, &item.data)?;
            }
        }
        self.stirred(instance, number);
        Ok(())
    }

    fn put_body(&mut self, instance: &InstanceId, message: &Message, data: &Bytes) -> Result<(), CommitError> {
        let sealed = message.place(instance).seal(Kind::Message, instance, data);
        self.sql.execute(PUT_BODY, &[message.sequence.into(), sealed.as_slice().into()])?;
        Ok(())
    }

    fn stirred(&mut self, instance: &InstanceId, queue: u64) {
        if queue == TURNS {
            self.queues.insert(instance.clone());
            self.changes.turns = true;
        } else {
            self.changes.activities = true;
        }
    }

    pub(super) fn ack_messages(&mut self, instance: &InstanceId, messages: &[MessageId]) -> Result<(), CommitError> {
        self.needs_fence_of(instance, "AckMessages")?;
        self.cancel(&Queue::Turns(instance.clone()), messages)
    }

    pub(super) fn ack_work(&mut self, token: &LockToken) -> Result<(), CommitError> {
        let id = self.leased_activity(token)?;
        self.take(&token.instance, ACTIVITIES, &id)
    }

    pub(super) fn retry_work(
        &mut self,
        token: &LockToken,
        visible_at: Timestamp,
        data: &Bytes,
    ) -> Result<(), CommitError> {
        let id = self.leased_activity(token)?;
        self.put_back(token, &id, visible_at, data)
    }

    fn put_back(
        &mut self,
        token: &LockToken,
        id: &MessageId,
        visible_at: Timestamp,
        data: &Bytes,
    ) -> Result<(), CommitError> {
        let instance = &token.instance;
        let gone = || CommitError::WorkGone(token.clone());
        let mut message = read::message(&mut self.sql, instance, ACTIVITIES, id)?.ok_or_else(gone)?;
        self.sql.execute(TAKE_BODY, &[message.sequence.into()])?;
        lease::forget(&mut self.sql, token.fence)?;
        message.sequence = self.counters.next_sequence();
        message.visible_at = visible_at;
        let params = [instance.into(), id.into(), message.sequence.into(), visible_at.into()];
        self.sql.execute(PUT_BACK, &params)?;
        self.put_body(instance, &message, data)?;
        self.stirred(instance, ACTIVITIES);
        Ok(())
    }

    pub(super) fn release_work(
        &mut self,
        token: &LockToken,
        delay: Option<Duration>,
        give_back: bool,
    ) -> Result<(), CommitError> {
        let id = self.leased_activity(token)?;
        let instance = &token.instance;
        if give_back {
            lease::uncount_activity(&mut self.sql, instance, &id)?;
        }
        if let Some(delay) = delay.filter(|delay| !delay.is_zero()) {
            let gone = || CommitError::WorkGone(token.clone());
            let message = read::message(&mut self.sql, instance, ACTIVITIES, &id)?.ok_or_else(gone)?;
            let body = self.sql.first(BODY, &[message.sequence.into()], |row| row.maybe_bytes(0))?.flatten();
            let data = message.open(&self.sql, instance, body)?;
            return self.put_back(token, &id, self.now.saturating_add(delay), &data);
        }
        lease::free_activity(&mut self.sql, instance, &id, token.fence)?;
        self.stirred(instance, ACTIVITIES);
        Ok(())
    }

    fn leased_activity(&mut self, token: &LockToken) -> Result<MessageId, CommitError> {
        let out = lease::find(&mut self.sql, token, self.now)?;
        out.and_then(|Lease { activity }| activity).ok_or_else(|| CommitError::WorkGone(token.clone()))
    }

    pub(super) fn cancel(&mut self, queue: &Queue, items: &[MessageId]) -> Result<(), CommitError> {
        for id in items {
            self.take(queue.instance(), number_of(queue), id)?;
        }
        Ok(())
    }

    /// One that is not there is passed over.
    fn take(&mut self, instance: &InstanceId, queue: u64, id: &MessageId) -> Result<(), CommitError> {
        let params = [instance.into(), queue.into(), id.into()];
        let taken = self.sql.first(TAKE, &params, |row| Ok((row.number(0)?, row.maybe_number(1)?)))?;
        let Some((sequence, fence)) = taken else { return Ok(()) };
        self.sql.execute(TAKE_BODY, &[sequence.into()])?;
        if let Some(fence) = fence {
            lease::forget(&mut self.sql, fence)?;
        }
        if queue == TURNS {
            self.queues.insert(instance.clone());
        }
        Ok(())
    }
}

fn number_of(queue: &Queue) -> u64 {
    match queue {
        Queue::Turns(_) => TURNS,
        Queue::Activities(_) => ACTIVITIES,
    }
}
