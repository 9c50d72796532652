//! Durable execution: two attributes on plain functions, and an embedded store that never loses an acknowledged step.
//!
//! A person writes two kinds of functions. `#[activity]` functions touch the world. `#[orchestration]` functions decide:
//! they survive crashes, deploys and months of waiting, because what they decided is kept as a history, and the function
//! is run again over it. So an orchestration must be deterministic; what is not is refused by the compiler, at the token,
//! with what to write instead.
//!
//! ```standalone_crate
//! use durable_runtime::prelude::*;
//!
//! # #[derive(Debug, Clone, Serialize, Deserialize)]
//! # struct Card(String);
//! # #[derive(Debug, Clone, Serialize, Deserialize)]
//! # struct Item(String);
//! # #[derive(Debug, Clone, Serialize, Deserialize)]
//! # struct Order { card: Card, cents: u64, items: Vec<Item>, address: String }
//! # #[derive(Debug, Serialize, Deserialize)]
//! # struct Receipt(String);
//! # #[derive(Debug, Serialize, Deserialize)]
//! # struct Parcel(usize);
//! # #[derive(Debug, Serialize, Deserialize)]
//! # struct Confirmation { receipt: Receipt, approval: Option<String>, parcel: Parcel, label: String }
//! # #[derive(Debug, Serialize, Deserialize, thiserror::Error)]
//! # enum OrderError {
//! #     #[error(transparent)]
//! #     Payment(#[from] ActivityError<PaymentError>),
//! #     #[error(transparent)]
//! #     Step(#[from] ActivityError),
//! # }
//! # #[activity]
//! # async fn print_label(address: String) -> String { address }
//! #[derive(Debug, Serialize, Deserialize, thiserror::Error)]
//! enum PaymentError { #[error("card declined")] Declined }
//!
//! #[activity(retry(max_attempts = 5, initial = "200ms", factor = 2.0, max = "30s"), timeout = "1m")]
//! async fn charge_card(ctx: ActivityContext, card: Card, cents: u64) -> Result<Receipt, PaymentError> { /* any code */
//! #   if card.0 == "stolen" { return Err(PaymentError::Declined) }
//! #   Ok(Receipt(format!("{} {cents}", ctx.idempotency_key())))
//! }
//!
//! #[activity]
//! fn pack(items: Vec<Item>) -> Parcel { /* a blocking function, no context: both are fine */
//! #   Parcel(items.len())
//! }
//!
//! #[derive(Event, Serialize, Deserialize)]
//! struct Approved { by: String }
//!
//! #[orchestration(version = "1.0.0")]
//! async fn process_order(ctx: OrchestrationContext, order: Order) -> Result<Confirmation, OrderError> {
//!     let receipt = charge_card(&ctx, order.card, order.cents).await?;
//!     let approval = select! { // the first in history order wins; the loser is cancelled
//!         approved = ctx.event::<Approved>() => Some(approved.by),
//!         () = ctx.timer(Duration::from_secs(86_400)) => None,
//!     };
//!     let (parcel, label) = join!(pack(&ctx, order.items), print_label(&ctx, order.address)); // run side by side
//!     Ok(Confirmation { receipt, approval, parcel: parcel?, label: label? })
//! }
//!
//! #[tokio::main]
//! async fn main() -> Result<(), Box<dyn std::error::Error>> {
//!     # let folder = tempfile::tempdir()?;
//!     # std::env::set_current_dir(&folder)?;
//!     # let order = Order { card: Card("visa".into()), cents: 5, items: vec![Item("tea".into())], address: "Rome".into() };
//!     let store = SledProvider::open("orders.db")?;
//!     let runtime = Runtime::builder(store).start().await?; // everything annotated is registered
//!     let client = runtime.client();
//!     let handle = process_order(&client, order).id("order-42").start().await?;
//!     handle.raise(Approved { by: "night shift".into() }).await?;
//!     let confirmation = handle.result().await?;
//!     # assert_eq!(confirmation.approval.as_deref(), Some("night shift"));
//!     runtime.shutdown(Duration::from_secs(5)).await;
//!     Ok(())
//! }
//! ```
//!
//! The function keeps its name, its arguments and its place; what its first argument is decides what a call means:
//!
//! | written | means |
//! |---|---|
//! | `charge_card(&ctx, card, cents)` | schedule the activity: a durable future of `Result<Receipt, ActivityError<PaymentError>>` |
//! | `.retry(..)` `.timeout(..)` `.heartbeat_timeout(..)` `.schedule_to_start(..)` `.schedule_to_close(..)` `.tag(..)` on it | for this call, instead of what the attribute says |
//! | `process_order(&ctx, order)` | a child: `.await` waits, `.detach()` does not, `.continue_as_new()` restarts this instance with it |
//! | `process_order(&client, order)` | a start: `.id(..)` `.version(..)` `.label(..)` `.if_exists(..)` `.start().await` gives a [`Handle`] |
//! | `#[orchestration(timeout = "1h")]` | how long one execution may take; then it cleans up as if cancelled, and is `TimedOut` |
//! | `ctx.on_cancel(..)` `ctx.saga()` `ctx.cancellation()` | what runs before the end when it is cancelled or fails |
//! | `charge_card::run(ctx, card, cents)` | the body, for a unit test |
//! | `process_order::NAME`, `::VERSION`, `::FINGERPRINT`, `::OUTLINE` | what the macro knows about it |
//! | `#[deterministic] fn` or `async fn` | a helper that an orchestration may call or await, checked by the same rules |
//!
//! An orchestration that would do something else when it is replayed does not compile. The error stands at the token, with
//! what to write instead and the code of its page in [`errors`]:
//!
//! ```text
//! error: `SystemTime::now` gives another answer when this code is replayed; use `ctx.now()` (DUR0101)
//!  --> src/main.rs:7:19
//!   |
//! 7 |     let started = SystemTime::now();
//!   |                   ^^^^^^^^^^^^^^^
//! ```

extern crate self as durable_runtime;

mod activity;
mod arguments;
pub mod client;
mod clock;
pub mod context;
mod dispatch;
pub mod errors;
mod event;
pub mod guide;
pub mod history;
mod ids;
mod limits;
pub mod management;
mod message;
mod metadata;
pub mod observe;
mod orchestration;
mod outline;
mod payload;
pub mod prelude;
mod probes;
pub mod providers;
mod registry;
mod replay;
mod retry;
mod shape;
mod sorted;
#[cfg(feature = "testing")]
pub mod testing;

#[doc(hidden)]
pub mod __private;

pub use durable_macros::{ActivityError, Event, activity, allow_nondeterminism, deterministic, orchestration, select};

pub use activity::{Activity, State, TerminalError};
pub use client::{Client, Handle};
pub use clock::{Clock, SystemClock, Timestamp};
pub use context::{ActivityContext, ActivityError, ChildError, DurableFuture, LocalBoxDurable, OrchestrationContext};
pub use context::{join_all, race, try_join_all};
pub use dispatch::{ActivityUnderWay, Runtime, RuntimeBuilder, RuntimeError};
pub use event::Event;
pub use history::ClosePolicy;
pub use ids::{CommandId, EventId, ExecutionId, ID_BYTES_MAX, IdError, InstanceId, LockToken, MessageId, check_id};
pub use limits::Limits;
pub use message::IfExists;
pub use metadata::{InstanceStatus, Status};
pub use orchestration::Orchestration;
pub use outline::{Outline, OutlineKind, OutlineStep};
pub use payload::{CodecError, Payload, PayloadValue};
pub use providers::{Durability, FsOptions, FsProvider, MemoryProvider, Provider};
#[cfg(feature = "sled")]
pub use providers::{SledOptions, SledProvider};
#[cfg(feature = "sqlite")]
pub use providers::{SqliteOptions, SqliteProvider};
pub use registry::RegistryError;
pub use replay::{Mismatch, Step};
pub use retry::RetryPolicy;
pub use shape::Infallible;
pub use sorted::{Unordered, sorted};

/// What the README shows is compiled like every other example.
#[cfg(doctest)]
#[doc = include_str!("../../README.md")]
pub mod readme {}
