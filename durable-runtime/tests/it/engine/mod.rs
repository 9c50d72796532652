//! The engine as a user sees it: orchestrations and activities on a store.

mod counted;
mod kit;

mod activities;
mod cancellation;
mod design;
mod instances;
mod messages;
mod panics;
mod restart;
