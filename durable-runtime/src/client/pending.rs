//! Instances that were started and have no record yet: a child's start, or one by a client of the store alone, waits in the queue
//! for its first turn.

use super::{Client, ReadError};
use crate::ids::InstanceId;
use crate::message::Message;
use crate::metadata::{self, InstanceStatus};
use crate::providers::{InstanceRecord, ProviderError, Queue};

/// How many messages are looked at; a start is among the first.
const MESSAGES: usize = 100;

impl Client {
    /// What is known of an instance without a record.
    pub(super) async fn status_before_first_turn(&self, instance: &InstanceId) -> Result<InstanceStatus, ReadError> {
        if let Some(pending) = self.waiting_start(instance).await? {
            return Ok(pending);
        }
        // Its first turn may just have been kept.
        let record = self.provider().instance(instance).await?.ok_or_else(|| ReadError::NotFound(instance.clone()))?;
        metadata::read(record).ok_or_else(|| ReadError::Unreadable(instance.clone()))
    }

    /// The record of an instance, as soon as it has one; at once if it will have none.
    pub(super) async fn record_after_first_turn(
        &self,
        instance: &InstanceId,
    ) -> Result<Option<InstanceRecord>, ProviderError> {
        while self.waiting_start(instance).await?.is_some() {
            if let Some(record) = self.provider().wait_for_change(instance, 0, super::handle::WAIT).await? {
                return Ok(Some(record));
            }
        }
        self.provider().instance(instance).await
    }

    async fn waiting_start(&self, instance: &InstanceId) -> Result<Option<InstanceStatus>, ProviderError> {
        let waiting = self.provider().messages(instance, MESSAGES).await?;
        let turns = waiting.messages.into_iter().filter(|message| matches!(message.queue, Queue::Turns(_)));
        let mut starts = turns.filter_map(|message| match Message::decode(&message.data) {
            Ok(Message::Start(start)) => Some((start, message.visible_at)),
            _ => None,
        });
        Ok(starts.next().map(|(start, at)| metadata::before_first_turn(instance.clone(), start, at)))
    }
}
