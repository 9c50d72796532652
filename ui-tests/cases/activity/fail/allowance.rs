#![allow(unused)]

use durable_runtime::prelude::*;

#[activity]
#[allow_nondeterminism(wall_clock, reason = "it needs none")]
fn charge(cents: u64) -> u64 {
    cents
}

fn main() {}
