#![allow(unused)]

use durable_runtime::prelude::*;

#[activity]
async fn charge() -> u64 {
    5
}

#[orchestration]
async fn process(ctx: OrchestrationContext) -> u64 {
    let both = try_join!(charge(&ctx), std::future::ready(Ok::<u64, ActivityError>(1)));
    both.map_or(0, |(one, two)| one + two)
}

fn main() {}
