#![allow(unused)]

use durable_runtime::prelude::*;

#[orchestration]
async fn process(ctx: OrchestrationContext) {
    let start = <std::time::Instant>::now();
}

fn main() {}
