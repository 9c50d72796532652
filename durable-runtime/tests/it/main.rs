//! Tests of the crate from outside, in one binary: each module a theme.

mod crash;
mod engine;
mod providers;
