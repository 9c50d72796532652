#![allow(unused)]

use durable_runtime::prelude::*;

fn number() -> impl Future<Output = u64> {
    std::future::ready(1)
}

#[deterministic]
async fn doubled(future: impl Future<Output = u64>) -> u64 {
    future.await * 2
}

#[orchestration]
async fn process(ctx: OrchestrationContext) -> u64 {
    number().await
}

fn main() {}
