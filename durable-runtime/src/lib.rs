//! Durable execution: two attributes on plain functions, and an embedded store that never loses an acknowledged step.

extern crate self as durable_runtime;

mod activity;
mod arguments;
pub mod client;
mod clock;
pub mod context;
mod dispatch;
mod event;
pub mod history;
mod ids;
mod limits;
mod message;
mod metadata;
mod orchestration;
mod outline;
mod payload;
pub mod prelude;
pub mod providers;
mod registry;
mod replay;
mod retry;
mod shape;
#[cfg(feature = "testing")]
pub mod testing;

#[doc(hidden)]
pub mod __private;

pub use durable_macros::{Event, activity, deterministic, orchestration, select};

pub use activity::{Activity, State};
pub use client::{Client, Handle};
pub use clock::{Clock, SystemClock, Timestamp};
pub use context::{ActivityContext, ActivityError, ChildError, DurableFuture, LocalBoxDurable, OrchestrationContext};
pub use context::{join_all, race, try_join_all};
pub use dispatch::{Runtime, RuntimeBuilder, RuntimeError};
pub use event::Event;
pub use ids::{CommandId, EventId, ExecutionId, ID_BYTES_MAX, IdError, InstanceId, LockToken, MessageId, check_id};
pub use limits::Limits;
pub use message::IfExists;
pub use metadata::{InstanceStatus, Status};
pub use orchestration::Orchestration;
pub use outline::{Outline, OutlineKind, OutlineStep};
pub use payload::{CodecError, Payload, PayloadValue};
pub use providers::{Durability, MemoryProvider, Provider};
#[cfg(feature = "sled")]
pub use providers::{SledOptions, SledProvider};
pub use registry::RegistryError;
pub use replay::{Mismatch, Step};
pub use retry::RetryPolicy;
pub use shape::Infallible;
