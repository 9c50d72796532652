//! The engine as a user sees it: orchestrations and activities on a store.

mod activities;
mod design;
mod instances;
mod orders;
mod restart;
