//! Tests of the crate from outside, in one binary: each module a theme.
#![allow(
    clippy::unwrap_used,
    clippy::expect_used,
    clippy::panic,
    clippy::indexing_slicing,
    reason = "the helpers of tests are tests"
)]

mod bad_input;
mod crash;
mod engine;
mod house;
mod management;
mod observe;
mod providers;
mod stored;
mod testing_kit;
