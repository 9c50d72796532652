//! Who runs it, and when: the async shell around the core.
//!
//! An instance belongs to one *shard*, a plain thread that runs its turns one after another. Activities run on the
//! tokio runtime of the application. A thread of the engine, which no user code can block, fetches turns and
//! activities and renews leases. All of them meet at the *door*, which knows the shard of an instance.

mod activities;
mod attempt;
mod builder;
mod caps;
mod door;
mod double_check;
mod effects;
mod fetch;
mod kept;
mod leases;
mod load;
mod local;
mod progress;
mod resident;
mod retries;
mod runtime;
mod settings;
mod shard;
mod start;
mod supervised;
mod suspended;
mod trial;
mod turn;
mod under_way;
mod unserved;
mod watchdog;

pub use self::builder::{RuntimeBuilder, StartError as RuntimeError};
pub(crate) use self::caps::Capped;
pub(crate) use self::door::{Accepted, Door, Refusal};
pub use self::runtime::Runtime;
pub use self::under_way::ActivityUnderWay;
pub(crate) use self::under_way::UnderWay;
