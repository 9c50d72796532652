//! One attempt of an activity: its body, watched, and what becomes of its result.

use std::future::pending;
use std::pin::{Pin, pin};
use std::sync::{Arc, Mutex};
use std::task::{Context, Poll};
use std::time::{Duration, Instant, SystemTime};

use futures_util::FutureExt as _;
use futures_util::future::{Either, select};
use tokio::sync::{OwnedSemaphorePermit, watch};

use super::activities::Workers;
use crate::activity::ActivityBody;
use crate::context::{ActivityContext, ActivityFacts, HeartbeatState};
use crate::history::{ActivitySettings, Failure};
use crate::message::{ActivityTask, Message};
use crate::orchestration::BodyOutcome;
use crate::payload::Payload;
use crate::providers::{CommitError, CommitId, LeasedActivity, Transaction, TransactionOp};
use crate::replay::panics;
use crate::retry::RetryPolicy;

/// How long a cancelled body may clean up before it is dropped.
const GRACE: Duration = Duration::from_secs(10);
/// How long a retry that could not be written waits before it is written again.
const PAUSE: Duration = Duration::from_millis(200);

/// Runs one attempt and hands over its result.
pub(super) async fn run(
    workers: Arc<Workers>,
    leased: LeasedActivity,
    slot: Option<OwnedSemaphorePermit>,
    unsettled: Option<OwnedSemaphorePermit>,
) {
    let task = match ActivityTask::decode(&leased.data) {
        Ok(task) => task,
        Err(error) => {
            // Its lease runs out, and a build that can read it takes it.
            tracing::error!(instance = %leased.instance, message = %leased.id, %error, "an activity cannot be read");
            workers.ended(leased.lock_token.fence);
            return;
        }
    };
    let (lost, cancelled) = watch::channel(false);
    workers.leases.hold_work(leased.lock_token.clone(), leased.id.clone(), lost);
    let context = context(&workers, &leased, &task, cancelled);
    let outcome = limited(attempt(&workers, &context, &task).await, workers.limits.payload_bytes_max);
    drop(slot);
    match again_after(&task, &context, &outcome) {
        Some(delay) => retry(&workers, &leased, task, &context, delay).await,
        None => settle(&workers, &leased, &task, outcome, unsettled),
    }
    workers.ended(leased.lock_token.fence);
}

fn context(
    workers: &Workers,
    leased: &LeasedActivity,
    task: &ActivityTask,
    cancelled: watch::Receiver<bool>,
) -> ActivityContext {
    ActivityContext::new(ActivityFacts {
        instance: leased.instance.clone(),
        execution_id: task.execution_id,
        command: task.command,
        attempt: task.attempt,
        deadline: task.settings.timeout.and_then(|timeout| SystemTime::now().checked_add(timeout)),
        last_heartbeat: task.last_heartbeat.clone(),
        heartbeat: Mutex::new(HeartbeatState { at: Instant::now(), progress: None }),
        cancelled,
        states: Arc::clone(&workers.states),
        client: workers.client.clone(),
    })
}

async fn attempt(workers: &Workers, context: &ActivityContext, task: &ActivityTask) -> BodyOutcome {
    let Some(handler) = workers.door.registry.activity(&task.name) else {
        return Err(Failure::Unavailable { message: format!("no activity `{}` is registered", task.name) });
    };
    let body = panics::catch(|| (handler.invoke)(context.clone(), &task.input)).flatten()?;
    let body: Pin<Box<dyn Future<Output = BodyOutcome> + Send>> = match body {
        ActivityBody::Async(body) => Box::pin(Caught(Some(body))),
        ActivityBody::Blocking(body) => Box::pin(blocking(body)),
    };
    match select(body, pin!(watch_over(context, &task.settings))).await {
        Either::Left((outcome, _)) => outcome,
        Either::Right((failure, body)) => {
            // A panic of the user's in a destructor changes nothing any more.
            let _ = panics::catch(|| drop(body));
            Err(failure)
        }
    }
}

async fn blocking(body: Box<dyn FnOnce() -> BodyOutcome + Send>) -> BodyOutcome {
    let joined = tokio::task::spawn_blocking(|| panics::catch(body)).await;
    joined.unwrap_or_else(|_| Err(Failure::Cancelled { reason: "the runtime is shutting down".to_owned() })).flatten()
}

/// A body whose panics are failures: in each poll, and when it is dropped.
struct Caught(Option<Pin<Box<dyn Future<Output = BodyOutcome> + Send>>>);

impl Future for Caught {
    type Output = BodyOutcome;

    fn poll(mut self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<BodyOutcome> {
        let Some(body) = self.0.as_mut() else { return Poll::Pending };
        let outcome = match panics::catch(|| body.as_mut().poll(cx)) {
            Ok(Poll::Pending) => return Poll::Pending,
            Ok(Poll::Ready(outcome)) => outcome,
            Err(failure) => Err(failure),
        };
        let body = self.0.take();
        let dropped = panics::catch(|| drop(body));
        Poll::Ready(outcome.and_then(|output| dropped.map(|()| output)))
    }
}

/// Ends when the attempt must end, and says why.
async fn watch_over(context: &ActivityContext, settings: &ActivitySettings) -> Failure {
    let too_long = pin!(too_long(settings.timeout));
    let too_silent = pin!(too_silent(context, settings.heartbeat_timeout));
    let unwanted = pin!(unwanted(context));
    select(select(too_long, too_silent).map(first), unwanted).map(first).await
}

/// What came first of two.
fn first<A, B>(either: Either<(Failure, A), (Failure, B)>) -> Failure {
    match either {
        Either::Left((failure, _)) | Either::Right((failure, _)) => failure,
    }
}

async fn too_long(timeout: Option<Duration>) -> Failure {
    let Some(timeout) = timeout else { return pending().await };
    tokio::time::sleep(timeout).await;
    Failure::TimedOut { message: format!("the attempt took longer than {}", humantime::format_duration(timeout)) }
}

async fn too_silent(context: &ActivityContext, timeout: Option<Duration>) -> Failure {
    let Some(timeout) = timeout else { return pending().await };
    loop {
        let silent = context.heard().0.elapsed();
        match timeout.checked_sub(silent) {
            Some(rest) if !rest.is_zero() => tokio::time::sleep(rest).await,
            _ => break,
        }
    }
    Failure::TimedOut { message: format!("no heartbeat came for {}", humantime::format_duration(timeout)) }
}

async fn unwanted(context: &ActivityContext) -> Failure {
    context.cancelled().await;
    tokio::time::sleep(GRACE).await;
    Failure::Cancelled { reason: "nobody waits for the result any more".to_owned() }
}

fn limited(outcome: BodyOutcome, most: usize) -> BodyOutcome {
    let too_long = |what: &str, payload: &Payload| Failure::LimitReached {
        message: format!("the {what} of the activity has {} bytes; at most {most} are kept", payload.len()),
    };
    match outcome {
        Ok(output) if output.len() > most => Err(too_long("output", &output)),
        Err(Failure::Failed { error }) if error.len() > most => Err(too_long("error", &error)),
        outcome => outcome,
    }
}

/// How long until the next attempt, if there is one and somebody wants it.
fn again_after(task: &ActivityTask, context: &ActivityContext, outcome: &BodyOutcome) -> Option<Duration> {
    let failure = outcome.as_ref().err().filter(|_| !context.is_cancelled())?;
    next_attempt(failure, task)
}

/// Hands the result to the instance.
fn settle(
    workers: &Workers,
    leased: &LeasedActivity,
    task: &ActivityTask,
    outcome: BodyOutcome,
    unsettled: Option<OwnedSemaphorePermit>,
) {
    let message = Message::ActivityDone {
        execution_id: task.execution_id,
        command: task.command,
        attempts: task.attempt,
        result: outcome.into(),
    };
    workers.door.settle(&leased.instance, message, leased.lock_token.clone(), unsettled);
}

/// How long until the next attempt; `None` if there is none.
fn next_attempt(failure: &Failure, task: &ActivityTask) -> Option<Duration> {
    match failure {
        Failure::Failed { .. } | Failure::TimedOut { .. } | Failure::Panicked { .. } => {
            task.settings.retry.unwrap_or(RetryPolicy::NONE).delay_after(task.attempt)
        }
        _ => None,
    }
}

/// The next attempt comes so much later, by the clock of the store.
async fn retry(
    workers: &Workers,
    leased: &LeasedActivity,
    mut task: ActivityTask,
    context: &ActivityContext,
    delay: Duration,
) {
    task.attempt = task.attempt.saturating_add(1);
    task.last_heartbeat = context.heard().1.or(task.last_heartbeat);
    let data = match task.encode() {
        Ok(data) => data,
        Err(error) => return tracing::error!(instance = %leased.instance, %error, "a retry cannot be written"),
    };
    let op = TransactionOp::RetryWork { token: leased.lock_token.clone(), delay, data };
    let transaction = Transaction { fence: None, commit_id: CommitId(uuid::Uuid::new_v4().as_u128()), ops: vec![op] };
    loop {
        match workers.provider.atomic_batch(transaction.clone()).await {
            Err(CommitError::Provider(error)) if error.is_transient() => {
                tracing::warn!(instance = %leased.instance, %error, "a retry was not written; trying again");
                tokio::time::sleep(PAUSE).await;
            }
            Ok(_) | Err(_) => break,
        }
    }
    workers.leases.release(&leased.lock_token);
}
