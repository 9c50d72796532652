#![allow(unused)]

use durable_runtime::prelude::*;

async fn fetch() -> u64 {
    1
}

#[deterministic]
async fn total(ctx: &OrchestrationContext) -> u64 {
    ctx.timer(Duration::from_secs(1)).await;
    fetch().await
}

fn main() {}
