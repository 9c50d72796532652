#![allow(unused)]

use durable_runtime::prelude::*;

fn handle() -> tokio::task::JoinHandle<u64> {
    tokio::spawn(async { 1 })
}

#[orchestration]
async fn process(ctx: OrchestrationContext) -> u64 {
    handle().await.unwrap_or(0)
}

fn main() {}
