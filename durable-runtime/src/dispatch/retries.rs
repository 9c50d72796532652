//! Between two attempts of an activity: whether there is a next one, when, and what it knows.

use std::time::Duration;

use uuid::Uuid;

use super::activities::Workers;
use super::attempt::granted_at;
use crate::activity::AttemptFailure;
use crate::clock::Timestamp;
use crate::history::{Failure, note_failed_attempt};
use crate::ids::InstanceId;
use crate::message::ActivityTask;
use crate::payload::Payload;
use crate::providers::{CommitError, CommitId, LeasedActivity, Transaction, TransactionOp};
use crate::retry::RetryPolicy;

/// How long what could not be written waits before it is written again.
pub(super) const PAUSE: Duration = Duration::from_millis(200);

/// How long until the next attempt; `None` if there is none.
pub(super) fn wait(
    instance: &InstanceId,
    task: &ActivityTask,
    failure: &AttemptFailure,
    now: Timestamp,
) -> Option<Duration> {
    let may_help =
        matches!(failure.failure, Failure::Failed { .. } | Failure::TimedOut { .. } | Failure::Panicked { .. });
    if !may_help || failure.terminal {
        return None;
    }
    let since_scheduled = now.saturating_since(task.scheduled_at);
    let policy = task.settings.retry.unwrap_or(RetryPolicy::NONE);
    let wait = policy.wait_after(task.attempt, since_scheduled, chance(instance, task))?;
    // An attempt that would be over before it began is none: the last error says more than that time was up.
    let ends = task.settings.schedule_to_close.unwrap_or(Duration::MAX);
    (since_scheduled.saturating_add(wait) < ends).then_some(wait)
}

/// A number from 0 to 1 that belongs to this attempt of this call.
fn chance(instance: &InstanceId, task: &ActivityTask) -> f64 {
    let name = format!("{instance}\n{}\n{}\n{}", task.execution_id, task.command, task.attempt);
    let drawn = Uuid::new_v5(&CHANCES, name.as_bytes()).as_u64_pair().1 & u64::from(u32::MAX);
    drawn as f64 / f64::from(u32::MAX)
}

/// The namespace of [`chance`].
const CHANCES: Uuid = Uuid::from_u128(0x2b1f_8c07_6a55_4d19_9e3c_70d4_18aa_53f2);

/// The next attempt comes so much later, by the clock of the store.
pub(super) async fn put_back(
    workers: &Workers,
    leased: &LeasedActivity,
    mut task: ActivityTask,
    failure: &Failure,
    last_heartbeat: Option<Payload>,
    delay: Duration,
) {
    note_failed_attempt(&mut task.failed_attempts, task.attempt, granted_at(leased), failure);
    task.attempt = task.attempt.saturating_add(1);
    task.fence = leased.lock_token.fence;
    task.last_heartbeat = last_heartbeat.or(task.last_heartbeat);
    let data = match task.encode() {
        Ok(data) => data,
        Err(error) => return tracing::error!(instance = %leased.instance, %error, "a retry cannot be written"),
    };
    let comes_at = granted_at(leased).saturating_add(delay);
    workers.under_way.note(&leased.instance, &leased.id, &task, Some(comes_at));
    let kept = write(workers, leased, TransactionOp::RetryWork { token: leased.lock_token.clone(), delay, data }).await;
    if !kept {
        workers.under_way.forget(&leased.instance, &leased.id);
    }
    workers.leases.release(&leased.lock_token);
}

/// The same attempt comes so much later, as if nobody had taken it.
pub(super) async fn put_off(workers: &Workers, leased: &LeasedActivity, delay: Duration) {
    let (token, delay) = (leased.lock_token.clone(), Some(delay));
    write(workers, leased, TransactionOp::ReleaseWork { token, delay, give_back_attempt: true }).await;
}

/// Writes until it is written, or refused; says which.
pub(super) async fn write(workers: &Workers, leased: &LeasedActivity, op: TransactionOp) -> bool {
    let transaction = Transaction { fence: None, commit_id: CommitId(Uuid::new_v4().as_u128()), ops: vec![op] };
    loop {
        match workers.provider.atomic_batch(transaction.clone()).await {
            Ok(_) => return true,
            Err(CommitError::Provider(error)) if error.is_transient() => {
                tracing::warn!(instance = %leased.instance, %error, "what an activity needs was not written; trying again");
                tokio::time::sleep(PAUSE).await;
            }
            Err(_) => return false,
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::history::ActivitySettings;
    use crate::ids::{CommandId, ExecutionId};

    fn task(settings: ActivitySettings) -> ActivityTask {
        ActivityTask {
            execution_id: ExecutionId::FIRST,
            command: CommandId(1),
            name: "step".to_owned(),
            input: Payload::encode(&()).unwrap(),
            settings,
            scheduled_at: Timestamp::from_millis(1_000),
            attempt: 1,
            failed_attempts: Vec::new(),
            last_heartbeat: None,
            fence: 1,
            trace: None,
            progress_kept: false,
        }
    }

    fn failed(terminal: bool) -> AttemptFailure {
        AttemptFailure { failure: Failure::Failed { error: Payload::encode("no").unwrap() }, terminal }
    }

    #[test]
    fn only_what_can_help_is_tried_again() {
        let policy = RetryPolicy::attempts(2).initial(Duration::from_secs(3));
        let mut settings = ActivitySettings { retry: Some(policy), ..ActivitySettings::default() };
        let (instance, at) = (InstanceId::new("i").unwrap(), Timestamp::from_millis(1_000));
        let wait_for = |settings: &ActivitySettings, failure| wait(&instance, &task(settings.clone()), &failure, at);
        assert_eq!(wait_for(&settings, failed(false)), Some(Duration::from_secs(3)));
        assert_eq!(wait_for(&settings, failed(true)), None);
        assert_eq!(wait_for(&settings, Failure::Codec { message: String::new() }.into()), None);
        settings.schedule_to_close = Some(Duration::from_secs(3));
        assert_eq!(wait_for(&settings, failed(false)), None);
        settings.schedule_to_close = Some(Duration::from_millis(3_001));
        assert!(wait_for(&settings, failed(false)).is_some());
    }

    #[test]
    fn chances_belong_to_the_attempt_and_are_spread() {
        let mut task = task(ActivitySettings::default());
        let draw =
            |instance: u32, task: &ActivityTask| chance(&InstanceId::new(format!("order-{instance}")).unwrap(), task);
        assert_eq!(draw(1, &task).to_bits(), draw(1, &task).to_bits());
        let all: Vec<f64> = (0..1_000).map(|instance| draw(instance, &task)).collect();
        let low = all.iter().filter(|chance| **chance < 0.5).count();
        assert!((400..600).contains(&low) && all.iter().all(|chance| (0.0..=1.0).contains(chance)), "{low}");
        let first = draw(1, &task);
        task.attempt = 2;
        assert_ne!(first.to_bits(), draw(1, &task).to_bits());
    }
}
