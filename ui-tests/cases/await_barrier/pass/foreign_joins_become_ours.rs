#![allow(unused)]

use durable_runtime::prelude::*;

use futures::try_join;

#[activity]
async fn charge(cents: u64) -> u64 {
    cents
}

#[deterministic]
async fn both(ctx: &OrchestrationContext) -> Result<(u64, u64), ActivityError> {
    try_join!(charge(ctx, 1), charge(ctx, 2))
}

#[orchestration]
async fn process(ctx: OrchestrationContext) -> Result<u64, ActivityError> {
    let (left, right) = tokio::join!(charge(&ctx, 1), async { charge(&ctx, 2).await });
    let (third, ()) = futures::join!(charge(&ctx, 3), ctx.timer(Duration::from_secs(1)));
    let (fourth, fifth) = tokio::try_join!(charge(&ctx, 4), both(&ctx))?;
    Ok(left? + right? + third? + fourth + fifth.0)
}

fn main() {}
