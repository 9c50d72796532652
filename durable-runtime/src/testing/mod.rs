//! For tests: a runtime in which a month takes a moment, a clock that is set by hand, and what every provider owes.

mod clock;
pub mod conformance;
mod mocks;
mod model;
mod replayer;
mod runtime;

pub use self::clock::ManualClock;
pub use self::mocks::{ActivityFunction, MockOf};
pub use self::model::Model;
pub use self::replayer::{RecordedHistory, ReplayError, Replayed, Replayer};
pub use self::runtime::{FinishError, TestRuntime, TestRuntimeBuilder};
