//! What outlives the process of a running attempt: what it said last, and the count of how often it was begun in vain.
//!
//! A fresh attempt costs nothing: nothing is read or written before its body runs. One that may have been begun before,
//! because its process died or its lease was lost, is given what its predecessor said last; and after so many of them it is given
//! up, so that a body that kills its process does not do so for ever.

use std::pin::pin;
use std::sync::atomic::{AtomicBool, Ordering};
use std::time::Duration;

use futures_util::future::{Either, join, select};
use tokio::sync::watch;

use super::activities::Workers;
use super::retries::{PAUSE, write};
use crate::context::ActivityContext;
use crate::history::Failure;
use crate::message::ActivityTask;
use crate::metadata::{self, KeptProgress};
use crate::providers::{LeasedActivity, TransactionOp};

/// How often heartbeats are written at most; the first is written at once.
const WRITTEN_EVERY: Duration = Duration::from_secs(5);

/// What is kept of a running attempt beside its message.
pub(super) struct Progress {
    /// How often attempts were begun anew.
    pub(super) redeliveries: u32,
    kept: AtomicBool,
}

impl Progress {
    /// Whether there is something to be taken away in the end.
    pub(super) fn is_kept(&self) -> bool {
        self.kept.load(Ordering::Acquire)
    }
}

/// Before the body runs: gives it what its predecessor said last, or says why it must not run.
pub(super) async fn begin(
    workers: &Workers,
    leased: &LeasedActivity,
    task: &mut ActivityTask,
) -> Result<Progress, (Progress, Failure)> {
    // Every attempt was handed out once; what is more was handed out again.
    let redeliveries = leased.attempt.saturating_sub(task.attempt);
    // What waited in the store when this runtime began may have been begun by another, which had no time to say so.
    if redeliveries == 0 && task.fence >= workers.leases.first_fence() {
        return Ok(Progress { redeliveries, kept: AtomicBool::new(task.progress_kept) });
    }
    let kept = read(workers, leased).await;
    let progress = Progress { redeliveries, kept: AtomicBool::new(task.progress_kept || kept.is_some()) };
    let most = workers.limits.deliveries_max;
    if redeliveries > most {
        workers.meter.poisoned();
        let message = format!(
            "it was begun anew {most} times and never came to an end: its process died, or lost its lease, each time"
        );
        return Err((progress, Failure::LimitReached { message }));
    }
    if let Some(kept) = kept.filter(|kept| kept.attempt == task.attempt) {
        task.last_heartbeat = Some(kept.heartbeat);
    }
    Ok(progress)
}

/// Runs the attempt, and meanwhile writes what its body says. What is being written when it ends is written to its end, so
/// that it cannot come after what takes it away.
pub(super) async fn beside<T>(
    workers: &Workers,
    leased: &LeasedActivity,
    task: &ActivityTask,
    (context, progress): (&ActivityContext, &Progress),
    attempt: impl Future<Output = T>,
) -> T {
    let (over, mut is_over) = watch::channel(false);
    let attempt = async {
        let outcome = attempt.await;
        over.send_replace(true);
        outcome
    };
    let writing = async {
        while let Some(heartbeat) = unless(&mut is_over, context.next_heartbeat()).await {
            progress.kept.store(true, Ordering::Release);
            keep(workers, leased, Some(&KeptProgress { attempt: task.attempt, heartbeat })).await;
            if unless(&mut is_over, tokio::time::sleep(WRITTEN_EVERY)).await.is_none() {
                return;
            }
        }
    };
    join(attempt, writing).await.0
}

/// What comes, unless the attempt is over first.
async fn unless<T>(is_over: &mut watch::Receiver<bool>, comes: impl Future<Output = T>) -> Option<T> {
    match select(pin!(is_over.wait_for(|over| *over)), pin!(comes)).await {
        Either::Left(_) => None,
        Either::Right((value, _)) => Some(value),
    }
}

/// Nobody will ask for it any more: takes away what is kept.
pub(super) async fn forget(workers: &Workers, leased: &LeasedActivity, progress: &Progress) {
    if progress.is_kept() {
        keep(workers, leased, None).await;
    }
}

async fn keep(workers: &Workers, leased: &LeasedActivity, progress: Option<&KeptProgress>) {
    let (instance, entries) = (leased.instance.clone(), metadata::progress(&leased.id, progress));
    write(workers, leased, TransactionOp::PutMetadata { instance, entries }).await;
}

async fn read(workers: &Workers, leased: &LeasedActivity) -> Option<KeptProgress> {
    loop {
        match workers.provider.instance(&leased.instance).await {
            Ok(record) => return metadata::read_progress(&record?, &leased.id),
            Err(error) if error.is_transient() => {
                tracing::warn!(instance = %leased.instance, %error, "what an activity has said was not read; trying again");
                tokio::time::sleep(PAUSE).await;
            }
            Err(_) => return None,
        }
    }
}
