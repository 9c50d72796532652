#![allow(unused)]

use durable_runtime::prelude::*;

#[orchestration]
async fn process(order: u64, ctx: OrchestrationContext) -> u64 {
    order
}

fn main() {}
