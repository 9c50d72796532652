#![allow(unused)]

use durable_runtime::prelude::*;

#[orchestration]
async fn tail(ctx: OrchestrationContext) -> String {
    ctx.timer(Duration::from_secs(1)).await;
    5
}

#[orchestration]
async fn early(ctx: OrchestrationContext, order: u64) -> Result<u64, String> {
    if order == 0 {
        return order;
    }
    Ok(order)
}

fn main() {}
