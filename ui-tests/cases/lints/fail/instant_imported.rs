#![allow(unused)]

use durable_runtime::prelude::*;

use std::time::Instant;

#[orchestration]
async fn process(ctx: OrchestrationContext) {
    let start = Instant::now();
}

fn main() {}
