#![allow(unused)]

use durable_runtime::prelude::*;

#[orchestration]
async fn process(ctx: OrchestrationContext) -> u64 {
    join_all([1, 2].map(std::future::ready)).await.into_iter().sum()
}

fn main() {}
