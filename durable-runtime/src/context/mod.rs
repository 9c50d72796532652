//! What user code sees: contexts, and the durable futures that they give.

mod activity;
mod activity_call;
mod cancellation;
mod child_call;
mod durable;
mod event_wait;
mod join;
mod kv;
mod labels;
mod operation;
mod orchestration;
mod patched;
mod race;
mod saga;
pub mod select;
mod timeout;
mod timer;

pub use self::activity::ActivityContext;
pub(crate) use self::activity::{ActivityFacts, HeartbeatState};
pub use self::activity_call::{ActivityCall, ActivityError, call_activity};
pub use self::cancellation::{AcceptCancel, CancelRequested, Cancellation, OnCancel};
pub use self::child_call::{ChildCall, ChildError, ContinueAsNew, OrchestrationCaller};
pub use self::durable::{DurableFuture, LocalBoxDurable, Scope, durable, scope};
pub use self::event_wait::EventWait;
pub use self::join::{Join2, Join3, Join4, Join5, Join6, Join7, Join8, JoinAll, TryJoinAll, join_all, try_join_all};
pub use self::join::{Slot, slot};
pub use self::join::{TryJoin2, TryJoin3, TryJoin4, TryJoin5, TryJoin6, TryJoin7, TryJoin8};
pub use self::kv::{Kv, KvError};
pub use self::labels::{LabelError, Labels};
pub use self::orchestration::OrchestrationContext;
pub use self::patched::LATEST;
pub use self::race::{Race, race};
pub use self::saga::{Saga, Undo};
pub use self::timeout::{Elapsed, Timeout};
pub use self::timer::Timer;
