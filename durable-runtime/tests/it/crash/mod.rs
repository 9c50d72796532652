//! Killed at any moment, opened again: nothing that was acknowledged is lost, nothing is done twice.
//!
//! A child process works on a store and writes a ledger: a line for each call that was acknowledged, and one for each run
//! of an activity. The parent kills it, opens the store without a runtime, and compares. One store lives through all
//! rounds; in the end it is run until everything is done.

mod audit;
mod child;
mod ledger;
mod orchestrations;
mod rounds;
mod stores;

pub(crate) use self::ledger::Chance;
