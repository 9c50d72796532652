#![allow(unused)]

use durable_runtime::prelude::*;

#[orchestration]
async fn process(ctx: OrchestrationContext) -> u64 {
    std::future::poll_fn(|_| std::task::Poll::Ready(1)).await
}

fn main() {}
