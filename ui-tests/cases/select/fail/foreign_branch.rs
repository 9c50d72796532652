#![allow(unused)]

use durable_runtime::prelude::*;

async fn tokio_sleep(duration: Duration) {}

#[orchestration]
async fn process(ctx: OrchestrationContext, patience: u64) -> u64 {
    let day = Duration::from_secs(86_400);
    select! {
        () = tokio_sleep(day) => 1,
        () = ctx.timer(day) => 2,
    }
}

fn main() {}
