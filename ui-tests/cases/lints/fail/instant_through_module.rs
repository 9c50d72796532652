#![allow(unused)]

use durable_runtime::prelude::*;

use std::time as clocks;

#[orchestration]
async fn process(ctx: OrchestrationContext) {
    let start = clocks::Instant::now();
}

fn main() {}
