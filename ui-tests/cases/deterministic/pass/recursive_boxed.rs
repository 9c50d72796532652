#![allow(unused)]

use durable_runtime::prelude::*;

use durable_runtime::{DurableFuture, LocalBoxDurable};

fn countdown<'a>(ctx: &'a OrchestrationContext, from: u64) -> LocalBoxDurable<'a, u64> {
    Box::pin(step(ctx, from))
}

#[deterministic]
async fn step(ctx: &OrchestrationContext, from: u64) -> u64 {
    ctx.timer(Duration::from_secs(1)).await;
    if from == 0 { 0 } else { countdown(ctx, from - 1).await + 1 }
}

#[deterministic]
async fn twice<F: DurableFuture<Output = u64>>(first: F, second: impl DurableFuture<Output = u64>) -> u64 {
    first.await + second.await
}

#[orchestration]
async fn process(ctx: OrchestrationContext) -> u64 {
    twice(countdown(&ctx, 3), step(&ctx, 1)).await
}

fn main() {}
