#![allow(unused)]

use durable_runtime::prelude::*;

#[orchestration]
async fn process(ctx: OrchestrationContext) {
    let line = std::io::stdin().lines().next();
}

fn main() {}
