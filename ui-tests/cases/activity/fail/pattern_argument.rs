#![allow(unused)]

use durable_runtime::prelude::*;

#[activity]
async fn add((left, right): (u64, u64), _: bool) -> u64 {
    left + right
}

fn main() {}
