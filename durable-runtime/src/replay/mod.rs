//! The core: given a history and a function, says what happens next.
//!
//! Nothing here awaits, reads a clock, spawns, or names a provider. An [`Execution`] is fed one event at a time; after
//! each the orchestration's future is polled until nothing more can move, and the commands it gave are the answer.

mod compare;
pub(crate) mod current;
mod execution;
mod journal;
mod kept;
mod mailbox;
mod mismatch;
pub(crate) mod panics;
mod poll;
mod unwinding;

pub(crate) use self::execution::{Applied, Execution};
pub(crate) use self::journal::{Changes, Facts, Journal, Open, Resolution};
pub(crate) use self::kept::{Full, size};
pub use self::mismatch::{Mismatch, Step};

#[cfg(test)]
mod tests;
