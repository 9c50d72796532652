//! Activities that this process has begun and that are not done: what a status shows of them.

use std::collections::BTreeMap;
use std::sync::{Mutex, MutexGuard, PoisonError};

use crate::clock::Timestamp;
use crate::history::FailedAttempt;
use crate::ids::{CommandId, ExecutionId, InstanceId, MessageId};
use crate::message::ActivityTask;

/// An activity that was begun and is not done.
#[derive(Debug, Clone, PartialEq)]
#[non_exhaustive]
pub struct ActivityUnderWay {
    /// The activity.
    pub name: String,
    /// The execution that asked for it.
    pub execution_id: ExecutionId,
    /// The command by which it did.
    pub command: CommandId,
    /// Which attempt runs or is next, counted from 1.
    pub attempt: u32,
    /// When the next attempt comes; `None` while one runs.
    pub next_attempt_at: Option<Timestamp>,
    /// The attempts before it, with their errors: the newest ten.
    pub failed_attempts: Vec<FailedAttempt>,
}

/// What is under way, by instance. Kept in memory only.
#[derive(Default)]
pub(crate) struct UnderWay(Mutex<BTreeMap<InstanceId, BTreeMap<MessageId, ActivityUnderWay>>>);

impl UnderWay {
    /// In the order in which it was asked for.
    pub(crate) fn of(&self, instance: &InstanceId) -> Vec<ActivityUnderWay> {
        let mut activities: Vec<_> =
            self.lock().get(instance).map(|all| all.values().cloned().collect()).unwrap_or_default();
        activities.sort_by_key(|activity| (activity.execution_id, activity.command));
        activities
    }

    /// An attempt begins, or waits for its time.
    pub(super) fn note(
        &self,
        instance: &InstanceId,
        id: &MessageId,
        task: &ActivityTask,
        next_attempt_at: Option<Timestamp>,
    ) {
        let activity = ActivityUnderWay {
            name: task.name.clone(),
            execution_id: task.execution_id,
            command: task.command,
            attempt: task.attempt,
            next_attempt_at,
            failed_attempts: task.failed_attempts.clone(),
        };
        self.lock().entry(instance.clone()).or_default().insert(id.clone(), activity);
    }

    pub(super) fn forget(&self, instance: &InstanceId, id: &MessageId) {
        let mut all = self.lock();
        if let Some(activities) = all.get_mut(instance) {
            activities.remove(id);
            if activities.is_empty() {
                all.remove(instance);
            }
        }
    }

    fn lock(&self) -> MutexGuard<'_, BTreeMap<InstanceId, BTreeMap<MessageId, ActivityUnderWay>>> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }
}
