//! What a program needs: `use durable_runtime::prelude::*;`

pub use std::time::Duration;

pub use serde::{Deserialize, Serialize};

pub use crate::context::{ActivityContext, ActivityError, ChildError, OrchestrationContext};
#[cfg(feature = "sled")]
pub use crate::providers::SledProvider;
#[cfg(feature = "sqlite")]
pub use crate::providers::SqliteProvider;
pub use crate::providers::{Durability, FsProvider, MemoryProvider};
pub use crate::{
    Client, ClosePolicy, Event, Handle, IfExists, Infallible, RetryPolicy, Runtime, State, Status, activity,
    allow_nondeterminism, deterministic, join, join_all, orchestration, race, select, try_join, try_join_all,
};
pub use durable_macros::ActivityError;
