#![allow(unused)]

use durable_runtime::prelude::*;

fn on_another_thread(run: impl FnOnce() -> u64 + Send) {}

#[orchestration]
async fn process(ctx: OrchestrationContext) -> u64 {
    on_another_thread(move || ctx.random());
    1
}

fn main() {}
