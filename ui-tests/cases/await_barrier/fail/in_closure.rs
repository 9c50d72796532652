#![allow(unused)]

use durable_runtime::prelude::*;

#[orchestration]
async fn process(ctx: OrchestrationContext) -> u64 {
    let later = |number: u64| async move { std::future::ready(number).await };
    later(1).await
}

fn main() {}
