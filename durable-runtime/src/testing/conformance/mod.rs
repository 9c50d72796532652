//! What every provider owes, as checks: one async function each, given an empty provider.
//!
//! ```ignore
//! use durable_runtime::testing::conformance;
//!
//! // A provider that goes by the clock it is given, and whatever must live as long as it does.
//! conformance::suite!(memory, |clock| async { (MemoryProvider::with_clock(clock), ()) });
//!
//! // One that outlives its process also says how it is opened again.
//! async fn open(clock: ManualClock, folder: TempDir) -> (SledProvider, TempDir) {
//!     (SledProvider::options().clock(clock).open(folder.path()).unwrap(), folder)
//! }
//! conformance::suite!(on_sled, |clock| open(clock, tempdir().unwrap()), reopen: open);
//! ```
//!
//! A check fails by panicking, and none sleeps: time is a value.
#![allow(
    missing_docs,
    clippy::unwrap_used,
    clippy::indexing_slicing,
    clippy::panic,
    reason = "checks are tests, and their names say what they check"
)]

mod kit;
mod subject;
mod suite;

pub mod activities;
pub mod atomicity;
pub mod closing;
pub mod counts;
pub mod deletion;
pub mod dropped;
pub mod dues;
pub mod entries;
pub mod executions;
pub mod fairness;
pub mod filters;
pub mod generations;
pub mod giving_back;
pub mod lanes;
pub mod late;
pub mod leases;
pub mod lists;
pub mod names;
pub mod patience;
pub mod payloads;
pub mod places;
pub mod queues;
pub mod records;
pub mod renewals;
pub mod repeats;
pub mod restarts;
pub mod sessions;
pub mod sizes;
pub mod skills;
pub mod tokens;
pub mod turns;
pub mod undone;
pub mod waiting;
pub mod waits;
pub mod work;
pub mod workers;

pub use self::subject::{Subject, in_time};
pub use self::suite::suite;
