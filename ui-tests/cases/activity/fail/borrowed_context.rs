#![allow(unused)]

use durable_runtime::prelude::*;

#[activity]
async fn charge(ctx: &ActivityContext, cents: u64) -> u64 {
    cents
}

fn main() {}
