#![allow(unused)]

use durable_runtime::prelude::*;

#[activity]
async fn charge(cents: u64) -> Result<u64, String> {
    Ok(cents)
}

#[orchestration]
async fn process(ctx: OrchestrationContext) -> Result<u64, u8> {
    Ok(charge(&ctx, 5).await?)
}

fn main() {}
