//! Durable execution: two attributes on plain functions, and an embedded store that never loses an acknowledged step.

extern crate self as durable_runtime;

mod clock;
mod ids;
mod limits;
mod payload;
pub mod providers;
mod retry;
#[cfg(feature = "testing")]
pub mod testing;

pub use clock::{Clock, SystemClock, Timestamp};
pub use ids::{CommandId, EventId, ExecutionId, ID_BYTES_MAX, IdError, InstanceId, LockToken, MessageId, check_id};
pub use limits::Limits;
pub use payload::{CodecError, Payload, PayloadValue};
pub use retry::RetryPolicy;
