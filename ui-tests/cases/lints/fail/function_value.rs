#![allow(unused)]

use durable_runtime::prelude::*;

#[orchestration]
async fn process(ctx: OrchestrationContext) {
    let clock = std::time::SystemTime::now;
}

fn main() {}
