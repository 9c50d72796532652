#![allow(unused)]

use durable_runtime::prelude::*;

#[derive(Clone)]
struct Shop;

#[activity]
async fn charge(shop: State<Shop>, ctx: ActivityContext, cents: u64) -> u64 {
    cents
}

#[orchestration]
async fn process(ctx: OrchestrationContext) -> u64 {
    charge(&ctx, 5).await.unwrap_or(0)
}

#[activity]
fn pack(shop: State<Shop>, ctx: ActivityContext) -> Result<u64, String> {
    Ok(1)
}

fn main() {}
