//! Providers over ordered keys: one engine, and adapters that each know one store.
//!
//! ```text
//! engine     the port: each method a few lines
//!   fetch      leases, and what they are on        committer  the one thread that writes
//!   read       records of the store                  draft      one transaction, checked, as changes
//!   index/     what waits, is due, is leased         layer      the changes of a group before they are on disk
//!   list       pages of instances, what waits        skills     who may take which turn
//!   heads      ends of the instances used last       recover    what is read when a store is opened
//!   waiters    who waits for what                    inbox      what waits for the committer
//! doctor     looks through a store                 copy       copies it while it is used
//! gate       keeps readers from what is not durable yet
//! keys, record, chunks, values                     how things are written
//! store      what an adapter has to do             memory, sled/, fs/, folder
//! frame      one batch in a file                   disk        what is asked of a file system
//! ```
//!
//! Invariants: only the committer writes; only what is durable stands in the index; data of messages stands only in
//! the store; leases stand only in memory.

mod chunks;
mod committer;
mod copy;
mod disk;
mod doctor;
mod draft;
mod engine;
#[cfg(test)]
mod faults;
mod fetch;
mod folder;
mod frame;
mod fs;
mod gate;
mod heads;
mod inbox;
mod index;
mod keys;
mod layer;
mod list;
mod maintain;
mod memory;
mod read;
mod recover;
mod shared;
mod skills;
#[cfg(feature = "sled")]
mod sled;
mod store;
#[cfg(test)]
mod upgrades;
mod values;

pub use self::engine::KvProvider;
pub use self::fs::{FsOptions, FsProvider};
pub use self::memory::MemoryProvider;
#[cfg(feature = "sled")]
pub use self::sled::{SledOptions, SledProvider};
use super::{record, waiters};
