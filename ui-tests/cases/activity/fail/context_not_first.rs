#![allow(unused)]

use durable_runtime::prelude::*;

#[activity]
async fn charge(cents: u64, ctx: ActivityContext) -> u64 {
    cents
}

fn main() {}
