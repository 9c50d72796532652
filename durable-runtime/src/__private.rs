//! What macro output names. No part of the interface: it changes without notice.

pub use {inventory, serde};

pub use crate::activity::{
    Activity, ActivityBody, ActivityOptions, ActivityRegistration, MissingState, NeverTerminal, State, StateKey,
    TerminalError, TerminalProbe, async_body, blocking_body, state,
};
pub use crate::arguments::{ArgumentNames, Reading, Unreadable, Unwritable, Writing, crosses, skip_argument};
pub use crate::client::{Client, StartRequest};
pub use crate::context::slot;
pub use crate::context::{
    ActivityCall, ActivityContext, ChildCall, DurableFuture, OrchestrationCaller, OrchestrationContext, Scope,
    call_activity, durable, scope, select,
};
pub use crate::context::{Join2, Join3, Join4, Join5, Join6, Join7, Join8};
pub use crate::context::{TryJoin2, TryJoin3, TryJoin4, TryJoin5, TryJoin6, TryJoin7, TryJoin8};
pub use crate::event::Event;
pub use crate::history::Place;
pub use crate::orchestration::{BodyFuture, BodyOutcome, Orchestration, OrchestrationRegistration, body};
pub use crate::outline::{Outline, OutlineKind, OutlineStep};
pub use crate::payload::PayloadValue;
pub use crate::probes::{Crossing, Harmless, Orderly, Probed, after};
pub use crate::retry::RetryPolicy;
pub use crate::shape::{NotResult, Probe, Shape};
