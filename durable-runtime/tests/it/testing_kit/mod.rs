//! The kit for tests of applications: virtual time, mocks.

mod replayer;
mod runtime;
