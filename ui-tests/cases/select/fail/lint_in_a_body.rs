#![allow(unused)]

use durable_runtime::prelude::*;

#[orchestration]
async fn process(ctx: OrchestrationContext, patience: u64) -> u64 {
    let day = Duration::from_secs(86_400);
    select! {
        () = ctx.timer(day) => rand::random(),
        () = ctx.timer(day) => 2,
    }
}

fn main() {}
