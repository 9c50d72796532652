//! The kit for tests of applications: virtual time, mocks.

mod runtime;
