#![allow(unused)]

use durable_runtime::prelude::*;

#[orchestration]
async fn process(ctx: OrchestrationContext, order: u64) -> u64 {
    order
}

#[orchestration]
async fn parent(ctx: OrchestrationContext) {
    let child = process(&"ctx", 5).await;
}

async fn start() {
    let _ = process(&7, 5);
    let request = process(&8, 5).id("order-42").start().await;
}

fn main() {}
