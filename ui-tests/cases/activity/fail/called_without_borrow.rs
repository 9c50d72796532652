#![allow(unused)]

use durable_runtime::prelude::*;

#[activity]
async fn charge(cents: u64) -> u64 {
    cents
}

#[orchestration]
async fn calls_it(ctx: OrchestrationContext) -> Result<u64, ActivityError> {
    charge(ctx, 5).await
}

fn main() {}
