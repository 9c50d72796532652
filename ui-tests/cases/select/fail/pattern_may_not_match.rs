#![allow(unused)]

use durable_runtime::prelude::*;

#[activity]
async fn charge() -> u64 {
    5
}

#[orchestration]
async fn process(ctx: OrchestrationContext, patience: u64) -> u64 {
    let day = Duration::from_secs(86_400);
    select! {
        Ok(cents) = charge(&ctx) => cents,
        () = ctx.timer(day) => 2,
    }
}

fn main() {}
