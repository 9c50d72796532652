#![allow(unused)]

use durable_runtime::prelude::*;

#[orchestration]
async fn process(ctx: OrchestrationContext) -> u64 {
    let later = async { std::future::ready(1).await };
    later.await
}

fn main() {}
