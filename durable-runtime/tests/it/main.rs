//! Tests of the crate from outside, in one binary: each module a theme.

#![allow(clippy::unwrap_used, clippy::expect_used, clippy::panic)] // helpers of tests count as tests

mod crash;
mod engine;
mod providers;
