//! The spans in which user code runs.

use tracing::Span;
use tracing::field::Empty;

use super::trace::TraceContext;
use crate::ids::InstanceId;
use crate::message::ActivityTask;
use crate::metadata::Identity;
use crate::providers::LeasedTurn;

/// One turn. What it is of may be known only when its first message is read; see [`name_turn`].
pub(crate) fn turn(turn: &LeasedTurn, identity: Option<&Identity>) -> Span {
    let span = tracing::info_span!(
        target: "durable_runtime",
        parent: None,
        "turn",
        instance = %turn.instance,
        execution = turn.execution_id.0,
        orchestration = Empty,
        version = Empty,
        attempt = turn.attempt,
        traceparent = Empty,
    );
    if let Some(identity) = identity {
        record(&span, identity);
    }
    span
}

/// The turn is of an execution that has just begun.
pub(crate) fn name_turn(span: &Span, identity: &Identity) {
    record(span, identity);
}

fn record(span: &Span, identity: &Identity) {
    span.record("orchestration", identity.name.as_str());
    span.record("version", identity.version.as_str());
    record_trace(span, identity.trace.as_ref());
}

fn record_trace(span: &Span, trace: Option<&TraceContext>) {
    if let Some(trace) = trace {
        span.record("traceparent", trace.traceparent());
    }
}

/// One attempt of an activity.
pub(crate) fn activity(instance: &InstanceId, task: &ActivityTask) -> Span {
    let span = tracing::info_span!(
        target: "durable_runtime",
        parent: None,
        "activity",
        instance = %instance,
        execution = task.execution_id.0,
        activity = task.name.as_str(),
        command = task.command.0,
        attempt = task.attempt,
        traceparent = Empty,
    );
    record_trace(&span, task.trace.as_ref());
    span
}
