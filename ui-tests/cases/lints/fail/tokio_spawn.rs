#![allow(unused)]

use durable_runtime::prelude::*;

#[orchestration]
async fn process(ctx: OrchestrationContext) {
    tokio::spawn(async {});
    let done = tokio::task::spawn_blocking(|| 1).await;
}

fn main() {}
