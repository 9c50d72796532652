#![allow(unused)]

use durable_runtime::prelude::*;

use std::time::Instant;

fn unrelated() -> Instant {
    println!("not an orchestration");
    Instant::now()
}

#[orchestration]
async fn process(ctx: OrchestrationContext) {
    ctx.timer(Duration::from_secs(1)).await;
}

fn main() {}
