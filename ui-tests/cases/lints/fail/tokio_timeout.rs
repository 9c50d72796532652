#![allow(unused)]

use durable_runtime::prelude::*;

#[orchestration]
async fn process(ctx: OrchestrationContext) {
    let late = tokio::time::timeout(Duration::from_secs(1), ctx.timer(Duration::from_secs(2))).await;
}

fn main() {}
