#![allow(unused)]

use durable_runtime::prelude::*;

#[orchestration]
async fn process(ctx: ActivityContext, order: u64) -> u64 {
    order
}

fn main() {}
