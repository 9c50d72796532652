#![allow(unused)]

use durable_runtime::prelude::*;

async fn fetch() -> u64 {
    1
}

#[orchestration]
async fn process(ctx: OrchestrationContext) -> u64 {
    fetch().await
}

fn main() {}
