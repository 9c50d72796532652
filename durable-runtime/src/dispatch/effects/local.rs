//! Activities that may run in their turn. Until one has, the queue is asked for it, as for any other.

use std::time::Duration;

use super::Effects;
use crate::clock::Timestamp;
use crate::dispatch::local::CallKey;
use crate::ids::MessageId;
use crate::message::{ActivityTask, Late, command_message_id};
use crate::payload::CodecError;

impl Effects {
    /// Those that have been asked for since the last call.
    pub(in crate::dispatch) fn take_local(&mut self) -> Vec<ActivityTask> {
        let asked = std::mem::take(&mut self.local);
        asked.into_iter().filter(|(key, _)| self.activities.contains_key(key)).map(|(_, task)| task).collect()
    }

    /// Whether there are any.
    pub(in crate::dispatch) fn has_local(&self) -> bool {
        self.local.keys().any(|key| self.activities.contains_key(key))
    }

    /// Whether this turn asks for it, and nobody has taken that back.
    pub(in crate::dispatch) fn asks_for(&self, key: CallKey) -> bool {
        self.activities.contains_key(&key)
    }

    /// It is done: the queue has nothing to do with it.
    pub(in crate::dispatch) fn withdraw(&mut self, key: CallKey) {
        self.activities.remove(&key);
    }

    /// It has begun, and its next attempt comes from the queue, so much later.
    pub(in crate::dispatch) fn put_back(
        &mut self,
        key: CallKey,
        task: &ActivityTask,
        now: Timestamp,
        wait: Duration,
    ) -> Result<MessageId, CodecError> {
        let (execution_id, command) = key;
        self.late.remove(&(execution_id, command, Late::Start));
        if let Some(item) = self.activities.get_mut(&key) {
            item.data = task.encode()?;
            item.visible_at = Some(now.saturating_add(wait));
        }
        Ok(command_message_id(execution_id, command))
    }
}
