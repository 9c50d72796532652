//! The engine as a user sees it: orchestrations and activities on a store.

mod kit;

mod cancellation;
mod design;
mod instances;
