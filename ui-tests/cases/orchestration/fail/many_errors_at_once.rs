#![allow(unused)]

use durable_runtime::prelude::*;

#[activity]
async fn charge(cents: u64) -> u64 {
    cents
}

async fn foreign() -> u64 {
    1
}

#[orchestration(tag = "x")]
async fn process(ctx: OrchestrationContext) -> u64 {
    let now = std::time::Instant::now(); // not deterministic
    let foreign = foreign().await; // not durable
    let charged: String = charge(&ctx, 5).await.unwrap_or(0); // not a String
    foreign
}

fn main() {}
