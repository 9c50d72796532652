//! Tests of the crate from outside, in one binary: each module a theme.

mod providers;
