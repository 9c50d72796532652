//! For tests: a clock that is set by hand, and what every provider owes.

mod clock;
pub mod conformance;

pub use self::clock::ManualClock;
