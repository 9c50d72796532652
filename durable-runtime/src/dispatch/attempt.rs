//! One attempt of an activity: its body, watched, and what becomes of its result.

use std::future::pending;
use std::pin::{Pin, pin};
use std::sync::{Arc, Mutex};
use std::task::{Context, Poll};
use std::time::{Duration, Instant, SystemTime};

use futures_util::FutureExt as _;
use futures_util::future::{Either, select};
use tokio::sync::{Notify, OwnedSemaphorePermit, watch};
use tracing::{Instrument as _, Span};

use super::activities::{Slot, Workers};
use super::progress::{self, Progress};
use super::retries;
use crate::activity::{ActivityBody, AttemptFailure, AttemptOutcome};
use crate::clock::Timestamp;
use crate::context::{ActivityContext, ActivityFacts, HeartbeatState};
use crate::history::{ActivitySettings, Failure};
use crate::ids::InstanceId;
use crate::limits::Limits;
use crate::message::{ActivityTask, Late, Message, late_message_id};
use crate::observe::activity_span;
use crate::payload::Payload;
use crate::providers::{LeasedActivity, Queue, TransactionOp};
use crate::replay::panics;

/// Runs one attempt and hands over its result.
pub(super) async fn run(
    workers: Arc<Workers>,
    leased: LeasedActivity,
    mut task: ActivityTask,
    slot: Slot,
    unsettled: Option<OwnedSemaphorePermit>,
) {
    if let Some(delay) = put_off(&workers, &leased.instance, &task) {
        note_start(&workers, &leased, &task).await;
        retries::put_off(&workers, &leased, delay).await;
        return workers.ended(leased.lock_token.fence);
    }
    let (began, measured) = (Instant::now(), workers.meter.begin());
    let first = task.attempt == 1 && leased.attempt == 1;
    let waited = first.then(|| granted_at(&leased).saturating_since(task.scheduled_at));
    workers.meter.attempt_began(&task.name, waited);
    let (lost, cancelled) = watch::channel(false);
    workers.leases.hold_work(leased.lock_token.clone(), leased.id.clone(), lost);
    workers.under_way.note(&leased.instance, &leased.id, &task, None);
    let begun = progress::begin(&workers, &leased, &mut task).await;
    let context = context(&workers, &leased.instance, &task, granted_at(&leased), cancelled);
    let (progress, outcome) = match begun {
        Ok(progress) => {
            note_start(&workers, &leased, &task).await;
            let span = activity_span(&leased.instance, &task);
            let attempt = async {
                let body = body(&workers, &context, &task)?;
                watched(&workers, &context, &task, body, &span).await
            };
            let attempt = attempt.instrument(span.clone());
            let outcome = progress::beside(&workers, &leased, &task, (&context, &progress), attempt).await;
            (progress, limited(outcome, &workers.limits))
        }
        Err((progress, failure)) => (progress, Err(failure.into())),
    };
    workers.meter.attempt_ended(&task.name, measured);
    drop(slot);
    let wanted = !context.is_cancelled();
    if !wanted {
        progress::forget(&workers, &leased, &progress).await;
    }
    let wait = outcome.as_ref().err().filter(|_| wanted).and_then(|failure| {
        let now = granted_at(&leased).saturating_add(began.elapsed());
        retries::wait(&leased.instance, &task, failure, now)
    });
    match (wait, outcome) {
        (Some(wait), Err(failure)) => {
            workers.meter.retried(&task.name);
            let last_heartbeat = context.heard().1;
            task.progress_kept = progress.is_kept();
            retries::put_back(&workers, &leased, task, &failure.failure, last_heartbeat, wait).await;
        }
        (_, outcome) => settle(&workers, &leased, task, &progress, outcome, unsettled),
    }
    workers.ended(leased.lock_token.fence);
}

/// How much later a test wants the attempt to be.
pub(super) fn put_off(workers: &Workers, instance: &InstanceId, task: &ActivityTask) -> Option<Duration> {
    let put_off = workers.door.registry.activity(&task.name)?.put_off.as_ref()?;
    let key = format!("{}/{}/{}", instance, task.execution_id, task.command);
    put_off(&key, task.attempt, task.settings.timeout)
}

/// When the attempt was handed out, by the clock of the store.
pub(super) fn granted_at(leased: &LeasedActivity) -> Timestamp {
    Timestamp::from_millis(leased.lock_token.granted_at_ms)
}

/// What the attempt is told, if it was handed out at this time.
pub(super) fn context(
    workers: &Workers,
    instance: &InstanceId,
    task: &ActivityTask,
    at: Timestamp,
    cancelled: watch::Receiver<bool>,
) -> ActivityContext {
    ActivityContext::new(ActivityFacts {
        instance: instance.clone(),
        execution_id: task.execution_id,
        command: task.command,
        attempt: task.attempt,
        deadline: time_left(task, at).and_then(|left| SystemTime::now().checked_add(left)),
        last_heartbeat: task.last_heartbeat.clone(),
        heartbeat: Mutex::new(HeartbeatState { at: Instant::now(), progress: None }),
        beat: Notify::new(),
        payload_bytes_max: workers.limits.payload_bytes_max,
        cancelled,
        states: Arc::clone(&workers.states),
        client: workers.client.clone().within(task.trace.clone()),
        trace: task.trace.clone(),
    })
}

/// How long this attempt may take: its own limit, or what is left of the limit of all.
fn time_left(task: &ActivityTask, at: Timestamp) -> Option<Duration> {
    let waited = at.saturating_since(task.scheduled_at);
    let left = task.settings.schedule_to_close.map(|limit| limit.saturating_sub(waited));
    task.settings.timeout.into_iter().chain(left).min()
}

/// Takes away what would say that it began too late.
async fn note_start(workers: &Workers, leased: &LeasedActivity, task: &ActivityTask) {
    if task.settings.schedule_to_start.is_none() || task.attempt > 1 {
        return;
    }
    let queue = Queue::Turns(leased.instance.clone());
    let items = vec![late_message_id(task.execution_id, task.command, Late::Start)];
    retries::write(workers, leased, TransactionOp::CancelWork { queue, items }).await;
}

/// Makes the body of the attempt.
pub(super) fn body(
    workers: &Workers,
    context: &ActivityContext,
    task: &ActivityTask,
) -> Result<ActivityBody, AttemptFailure> {
    let Some(handler) = workers.door.registry.activity(&task.name) else {
        return Err(Failure::Unavailable { message: format!("no activity `{}` is registered", task.name) }.into());
    };
    Ok(panics::catch(|| (handler.invoke)(context.clone(), &task.input)).flatten()?)
}

/// Runs the body, and ends it when it must end.
pub(super) async fn watched(
    workers: &Workers,
    context: &ActivityContext,
    task: &ActivityTask,
    body: ActivityBody,
    span: &Span,
) -> AttemptOutcome {
    let body: Pin<Box<dyn Future<Output = AttemptOutcome> + Send>> = match body {
        ActivityBody::Async(body) => Box::pin(Caught(Some(body))),
        ActivityBody::Blocking(body) => Box::pin(blocking(body, span.clone())),
    };
    match select(body, pin!(watch_over(context, &task.settings, workers.cancel_grace))).await {
        Either::Left((outcome, _)) => outcome,
        Either::Right((failure, body)) => {
            // A panic of the user's in a destructor changes nothing any more.
            let _ = panics::catch(|| drop(body));
            Err(failure.into())
        }
    }
}

async fn blocking(body: Box<dyn FnOnce() -> AttemptOutcome + Send>, span: Span) -> AttemptOutcome {
    match tokio::task::spawn_blocking(move || span.in_scope(|| panics::catch(body))).await {
        Ok(Ok(outcome)) => outcome,
        Ok(Err(panicked)) => Err(panicked.into()),
        Err(_) => Err(Failure::Cancelled { reason: "the runtime is shutting down".to_owned() }.into()),
    }
}

/// A body whose panics are failures: in each poll, and when it is dropped.
struct Caught(Option<Pin<Box<dyn Future<Output = AttemptOutcome> + Send>>>);

impl Future for Caught {
    type Output = AttemptOutcome;

    fn poll(mut self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<AttemptOutcome> {
        let Some(body) = self.0.as_mut() else { return Poll::Pending };
        let outcome = match panics::catch(|| body.as_mut().poll(cx)) {
            Ok(Poll::Pending) => return Poll::Pending,
            Ok(Poll::Ready(outcome)) => outcome,
            Err(failure) => Err(failure.into()),
        };
        let body = self.0.take();
        let dropped = panics::catch(|| drop(body)).map_err(AttemptFailure::from);
        Poll::Ready(outcome.and_then(|output| dropped.map(|()| output)))
    }
}

/// Ends when the attempt must end, and says why.
async fn watch_over(context: &ActivityContext, settings: &ActivitySettings, grace: Duration) -> Failure {
    let too_long = pin!(too_long(settings.timeout));
    let too_silent = pin!(too_silent(context, settings.heartbeat_timeout));
    let unwanted = pin!(unwanted(context, grace));
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

async fn unwanted(context: &ActivityContext, grace: Duration) -> Failure {
    context.cancelled().await;
    tokio::time::sleep(grace).await;
    Failure::Cancelled { reason: "nobody waits for the result any more".to_owned() }
}

/// What is too long to be kept is an error.
pub(super) fn limited(outcome: AttemptOutcome, limits: &Limits) -> AttemptOutcome {
    let most = limits.payload_bytes_max;
    let too_long = |what: &str, payload: &Payload| Failure::LimitReached {
        message: format!("the {what} of the activity has {} bytes; at most {most} are kept", payload.len()),
    };
    let text_cut =
        |AttemptFailure { failure, terminal }| AttemptFailure { failure: failure.text_cut(limits), terminal };
    match outcome.map_err(text_cut) {
        Ok(output) if output.len() > most => Err(too_long("output", &output).into()),
        Err(AttemptFailure { failure: Failure::Failed { error }, .. }) if error.len() > most => {
            Err(too_long("error", &error).into())
        }
        Err(AttemptFailure { failure, terminal }) => Err(AttemptFailure { failure: failure.within(limits), terminal }),
        output => output,
    }
}

/// Hands the result to the instance.
fn settle(
    workers: &Workers,
    leased: &LeasedActivity,
    task: ActivityTask,
    progress: &Progress,
    outcome: AttemptOutcome,
    unsettled: Option<OwnedSemaphorePermit>,
) {
    workers.under_way.forget(&leased.instance, &leased.id);
    workers.meter.activity_ended(&task.name, outcome.is_ok());
    let message = Message::ActivityDone {
        execution_id: task.execution_id,
        command: task.command,
        attempts: task.attempt,
        failed_attempts: task.failed_attempts,
        redeliveries: progress.redeliveries,
        progress_kept: progress.is_kept(),
        result: outcome.map_err(|failure| failure.failure).into(),
    };
    workers.door.settle(&leased.instance, message, leased.lock_token.clone(), unsettled);
}
