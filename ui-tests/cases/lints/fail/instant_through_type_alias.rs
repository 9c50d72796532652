#![allow(unused)]

use durable_runtime::prelude::*;

type Clock = std::time::Instant;

#[orchestration]
async fn process(ctx: OrchestrationContext) {
    let start = Clock::now();
}

fn main() {}
