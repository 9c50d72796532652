#![allow(unused)]

use durable_runtime::prelude::*;

#[orchestration]
async fn process(ctx: OrchestrationContext) -> u64 {
    let (one, ()) = join!(std::future::ready(1), ctx.timer(Duration::from_secs(1)));
    one
}

fn main() {}
