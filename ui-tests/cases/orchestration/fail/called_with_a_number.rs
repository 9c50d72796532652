#![allow(unused)]

use durable_runtime::prelude::*;

#[orchestration]
async fn process(ctx: OrchestrationContext, order: u64) -> u64 {
    order
}

fn start() {
    let _ = process(&7, 5);
}

fn main() {}
