//! What can be seen of a runtime from outside: spans, trace contexts, metrics.
//!
//! **Spans** (`tracing`, level INFO, target `durable_runtime`): a `turn` for each turn of an instance, with `instance`,
//! `execution`, `orchestration`, `version` and `attempt`; an `activity` for each attempt, with `instance`, `execution`,
//! `activity`, `command` and `attempt`. Both have `traceparent` if the instance was started with one. What your code logs
//! is inside them.
//!
//! **Logs are silent on replay.** What an orchestration logs while it runs over what is recorded goes nowhere, without
//! any doing of yours; so a line is logged once, however often the process is restarted.
//!
//! **No payload is logged**: no argument, output, event, error or text of a panic. Ids, names and versions are.
//!
//! **Traces** are carried from [`StartRequest::trace`](crate::client::StartRequest::trace), or from what
//! [`RuntimeBuilder::trace_source`](crate::RuntimeBuilder::trace_source) finds, to every activity and child: a
//! [`TraceContext`] is what OpenTelemetry and others put into the header `traceparent`.
//!
//! **Metrics** are read by [`Runtime::metrics`](crate::Runtime::metrics), and with the feature `metrics` they go to the
//! recorder of that crate too, under the names in [`names`].

mod distribution;
mod facade;
mod meter;
mod metrics;
pub mod names;
mod silence;
mod spans;
mod trace;

pub use self::distribution::{BOUNDS, Distribution};
pub(crate) use self::meter::{Meter, TurnNotes};
pub use self::metrics::{ActivityMetrics, Completions, Metrics};
pub(crate) use self::silence::silently;
pub(crate) use self::spans::{activity as activity_span, name_turn, turn as turn_span};
pub use self::trace::{TraceContext, TraceContextError};
