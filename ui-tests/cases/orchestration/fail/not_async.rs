#![allow(unused)]

use durable_runtime::prelude::*;

#[orchestration]
fn process(ctx: OrchestrationContext, order: u64) -> u64 {
    order
}

#[orchestration]
async fn calls_it(ctx: OrchestrationContext) -> Result<u64, ChildError> {
    process(&ctx, 5).await
}

fn main() {}
