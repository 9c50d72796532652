#![allow(unused)]

use durable_runtime::prelude::*;

#[orchestration]
async fn process(ctx: OrchestrationContext, patience: u64) -> u64 {
    let day = Duration::from_secs(86_400);
    select! {
        () = ctx.timer(day) => 1,
        () = ctx.timer(day) => 2,
        () = ctx.timer(day) => 3,
        () = ctx.timer(day) => 4,
        () = ctx.timer(day) => 5,
        () = ctx.timer(day) => 6,
        () = ctx.timer(day) => 7,
        () = ctx.timer(day) => 8,
        () = ctx.timer(day) => 9,
    }
}

fn main() {}
