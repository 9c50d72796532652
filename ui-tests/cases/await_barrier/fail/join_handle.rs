#![allow(unused)]

use durable_runtime::prelude::*;

fn handle() -> tokio::task::JoinHandle<u64> {
    unimplemented!("only its type matters")
}

#[orchestration]
async fn process(ctx: OrchestrationContext) -> u64 {
    handle().await.unwrap_or(0)
}

fn main() {}
