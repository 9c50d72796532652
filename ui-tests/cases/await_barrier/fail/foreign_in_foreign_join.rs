#![allow(unused)]

use durable_runtime::prelude::*;

async fn foreign() -> u64 {
    1
}

#[orchestration]
async fn process(ctx: OrchestrationContext) {
    tokio::join!(ctx.timer(Duration::from_secs(1)), foreign());
}

fn main() {}
