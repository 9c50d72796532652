//! Activities that run in the turn that asks for them, with no queue in between.
//!
//! A turn that asks for some does not end yet: it waits beside the other lanes of its shard until one of them is done,
//! takes its end like a message, and goes on. Its transaction keeps all of it. It also has each of them as a message for
//! the queue, until its end is taken: so what takes too long, or is to be tried again, is an ordinary activity from then on.

use std::collections::BTreeMap;
use std::future::poll_fn;
use std::pin::Pin;
use std::sync::Arc;
use std::task::{Context, Poll};
use std::time::{Duration, Instant};

use tokio::sync::{OwnedSemaphorePermit, watch};
use tokio::task::JoinHandle;
use tracing::Instrument as _;

use super::activities::Workers;
use super::attempt;
use super::retries;
use super::under_way::UnderWay;
use crate::activity::{ActivityBody, AttemptFailure, AttemptOutcome};
use crate::clock::Timestamp;
use crate::history::note_failed_attempt;
use crate::ids::{CommandId, ExecutionId, InstanceId, MessageId};
use crate::message::{ActivityTask, Message, command_message_id};
use crate::observe::activity_span;
use crate::payload::Payload;

/// How long one turn waits for all of its local activities together.
const TIME_MAX: Duration = Duration::from_secs(1);
/// How many of them one turn runs.
const CALLS_MAX: usize = 256;

/// Which call of an instance it is.
pub(super) type CallKey = (ExecutionId, CommandId);

/// A local activity that a turn asks for.
pub(super) struct LocalCall {
    pub(super) instance: InstanceId,
    pub(super) task: ActivityTask,
    /// The time of the turn.
    pub(super) at: Timestamp,
}

/// What became of one.
pub(super) enum LocalEnd {
    /// It is done, or has failed for good.
    Done(Box<Message>),
    /// It is tried again after a while, from the queue.
    Again(Box<ActivityTask>, Duration),
    /// It has not run to its end: the queue has it.
    Queued,
}

/// Those of one turn.
pub(super) struct LocalRuns {
    began: Instant,
    left: usize,
    running: BTreeMap<CallKey, LocalRun>,
}

struct LocalRun {
    cancel: watch::Sender<bool>,
    body: JoinHandle<LocalEnd>,
}

impl LocalRuns {
    pub(super) fn new() -> Self {
        Self { began: Instant::now(), left: CALLS_MAX, running: BTreeMap::new() }
    }

    pub(super) fn is_empty(&self) -> bool {
        self.running.is_empty()
    }

    /// Begins it, unless it must go through the queue.
    pub(super) fn begin(&mut self, workers: &Arc<Workers>, call: LocalCall) {
        if self.left == 0 || !workers.may_run_locally(&call) {
            return;
        }
        let Ok(slot) = Arc::clone(&workers.local_slots).try_acquire_owned() else { return };
        self.left -= 1;
        let key = (call.task.execution_id, call.task.command);
        let (cancel, cancelled) = watch::channel(false);
        let body = workers.spawn_local(run(Arc::clone(workers), call, cancelled, slot));
        self.running.insert(key, LocalRun { cancel, body });
    }

    /// Those that are not wanted any more may clean up; nobody waits for them.
    pub(super) fn keep(&mut self, wanted: impl Fn(CallKey) -> bool) {
        self.running.retain(|key, run| {
            let wanted = wanted(*key);
            if !wanted {
                run.cancel.send_replace(true);
            }
            wanted
        });
    }

    /// Waits until some have ended, or the time of the turn is over. Then they are stopped, and none runs on.
    pub(super) async fn next(&mut self) -> Vec<(CallKey, LocalEnd)> {
        let rest = TIME_MAX.saturating_sub(self.began.elapsed());
        match tokio::time::timeout(rest, poll_fn(|cx| self.poll_ended(cx))).await {
            Ok(ended) => ended,
            Err(_) => self.stop().await,
        }
    }

    fn poll_ended(&mut self, cx: &mut Context<'_>) -> Poll<Vec<(CallKey, LocalEnd)>> {
        let mut ended = Vec::new();
        for (key, run) in &mut self.running {
            if let Poll::Ready(end) = Pin::new(&mut run.body).poll(cx) {
                // It was stopped, or its runtime has gone.
                ended.push((*key, end.unwrap_or(LocalEnd::Queued)));
            }
        }
        if ended.is_empty() {
            return Poll::Pending;
        }
        for (key, _) in &ended {
            self.running.remove(key);
        }
        Poll::Ready(ended)
    }

    async fn stop(&mut self) -> Vec<(CallKey, LocalEnd)> {
        self.left = 0;
        let mut ended = Vec::new();
        for (key, run) in std::mem::take(&mut self.running) {
            run.cancel.send_replace(true);
            run.body.abort();
            // Waited for, so that the attempt in the queue never runs beside this one.
            ended.push((key, run.body.await.unwrap_or(LocalEnd::Queued)));
        }
        ended
    }
}

impl Workers {
    /// Whether nothing is promised of it that only the queue can keep.
    fn may_run_locally(&self, call: &LocalCall) -> bool {
        let LocalCall { instance, task, .. } = call;
        let settings = &task.settings;
        settings.tag.is_none()
            && settings.session.is_none()
            && !self.caps.has(&task.name)
            && self.door.registry.activity(&task.name).is_some()
            && attempt::put_off(self, instance, task).is_none()
    }
}

/// What a status shows of it, as long as it runs.
struct Shown<'a> {
    under_way: &'a UnderWay,
    instance: &'a InstanceId,
    id: MessageId,
}

impl Drop for Shown<'_> {
    fn drop(&mut self) {
        self.under_way.forget(self.instance, &self.id);
    }
}

async fn run(
    workers: Arc<Workers>,
    call: LocalCall,
    cancelled: watch::Receiver<bool>,
    slot: OwnedSemaphorePermit,
) -> LocalEnd {
    let LocalCall { instance, task, at } = call;
    let context = attempt::context(&workers, &instance, &task, at, cancelled);
    let body = attempt::body(&workers, &context, &task);
    if let Ok(ActivityBody::Blocking(_)) = body {
        return LocalEnd::Queued;
    }
    let id = command_message_id(task.execution_id, task.command);
    workers.under_way.note(&instance, &id, &task, None);
    let shown = Shown { under_way: &workers.under_way, instance: &instance, id };
    let (began, measured) = (Instant::now(), workers.meter.begin());
    workers.meter.attempt_began(&task.name, Some(Duration::ZERO));
    let span = activity_span(&instance, &task);
    let outcome = match body {
        Ok(body) => attempt::watched(&workers, &context, &task, body, &span).instrument(span.clone()).await,
        Err(failure) => Err(failure),
    };
    let outcome = attempt::limited(outcome, &workers.limits);
    workers.meter.attempt_ended(&task.name, measured);
    drop(shown);
    drop(slot);
    if context.is_cancelled() {
        return LocalEnd::Queued;
    }
    let now = at.saturating_add(began.elapsed());
    let wait = outcome.as_ref().err().and_then(|failure| retries::wait(&instance, &task, failure, now));
    match (wait, outcome) {
        (Some(wait), Err(failure)) => {
            workers.meter.retried(&task.name);
            again(task, &failure, context.heard().1, at, wait)
        }
        (_, outcome) => {
            workers.meter.activity_ended(&task.name, outcome.is_ok());
            done(task, outcome)
        }
    }
}

fn again(
    mut task: ActivityTask,
    failure: &AttemptFailure,
    last_heartbeat: Option<Payload>,
    at: Timestamp,
    wait: Duration,
) -> LocalEnd {
    note_failed_attempt(&mut task.failed_attempts, task.attempt, at, &failure.failure);
    task.attempt = task.attempt.saturating_add(1);
    task.last_heartbeat = last_heartbeat;
    LocalEnd::Again(Box::new(task), wait)
}

fn done(task: ActivityTask, outcome: AttemptOutcome) -> LocalEnd {
    LocalEnd::Done(Box::new(Message::ActivityDone {
        execution_id: task.execution_id,
        command: task.command,
        attempts: task.attempt,
        failed_attempts: task.failed_attempts,
        redeliveries: 0,
        progress_kept: false,
        result: outcome.map_err(|failure| failure.failure).into(),
    }))
}
