#![allow(unused)]

use durable_runtime::prelude::*;

#[derive(Event)]
union Bits {
    number: u64,
    float: f64,
}

fn main() {}
