#![allow(unused)]

use durable_runtime::prelude::*;

#[orchestration]
async fn process(ctx: OrchestrationContext) -> u64 {
    vec![std::future::ready(1).await].len() as u64
}

fn main() {}
