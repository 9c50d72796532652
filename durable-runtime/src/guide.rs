//! How to build with this crate, from the first activity to a deploy.
//!
//! 1. [Start](start): a program that survives being killed.
//! 2. [Activities](activities): what touches the world; errors, retries, time limits.
//! 3. [Orchestrations](orchestrations): what decides; side by side, races, cancellation, long lives.
//! 4. [Determinism](determinism): what the compiler refuses, and why.
//! 5. [Events](events): what comes from outside.
//! 6. [Children](children): orchestrations that call orchestrations.
//! 7. [Versions](versions): changing code under instances in flight.
//! 8. [Testing](testing): a month in a moment.
//! 9. [Operations](operations): finding, explaining, ending, watching.
//! 10. [Limits](limits): what is refused before it is stored.
//! 11. [Providers](providers): a store of one's own, and the suite that judges it.

#[doc = include_str!("../guide/activities.md")]
pub mod activities {}

#[doc = include_str!("../guide/children.md")]
pub mod children {}

#[doc = include_str!("../guide/determinism.md")]
pub mod determinism {}

#[doc = include_str!("../guide/events.md")]
pub mod events {}

#[doc = include_str!("../guide/limits.md")]
pub mod limits {}

#[doc = include_str!("../guide/operations.md")]
pub mod operations {}

#[doc = include_str!("../guide/orchestrations.md")]
pub mod orchestrations {}

#[doc = include_str!("../guide/providers.md")]
pub mod providers {}

#[doc = include_str!("../guide/start.md")]
pub mod start {}

#[doc = include_str!("../guide/testing.md")]
pub mod testing {}

#[doc = include_str!("../guide/versions.md")]
pub mod versions {}
