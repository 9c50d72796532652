#![allow(unused)]

use durable_runtime::prelude::*;

use tokio::time::sleep;

#[orchestration]
async fn process(ctx: OrchestrationContext) {
    tokio::time::sleep(Duration::from_secs(1)).await;
    sleep(Duration::from_secs(1)).await;
}

fn main() {}
