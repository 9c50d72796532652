#![allow(unused)]

use durable_runtime::prelude::*;

#[deterministic]
unsafe fn add(a: u64, b: u64) -> u64 {
    a + b
}

fn main() {}
