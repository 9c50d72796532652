//! The engine as a user sees it: orchestrations and activities on a store.

mod counted;
pub(crate) mod kit;

mod activities;
mod bad_input;
mod cancellation;
mod caps;
mod children;
mod close_policies;
mod design;
mod fairness;
mod faults;
mod generations;
mod heartbeats;
mod instances;
mod kept;
mod lasting_leases;
mod local;
mod long_histories;
mod mailbox;
mod messages;
mod nodes;
mod panics;
mod poison;
mod restart;
mod retries;
mod runtimes;
mod sessions;
mod supervision;
mod suspension;
mod time_limits;
mod timeouts;
mod unwinding;
mod versions;
mod workers;
