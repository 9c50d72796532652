#![allow(unused)]

use durable_runtime::prelude::*;

#[allow_nondeterminism(wall_clock, reason = "only shown")]
struct Clock;

fn main() {}
