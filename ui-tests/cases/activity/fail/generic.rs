#![allow(unused)]

use durable_runtime::prelude::*;

#[activity]
async fn store<T: Serialize>(value: T) -> u64 {
    1
}

#[orchestration]
async fn calls_it(ctx: OrchestrationContext) -> Result<u64, ActivityError> {
    store(&ctx, "text").await
}

fn main() {}
