#![allow(unused)]

use durable_runtime::prelude::*;

macro_rules! twice {
    ($number:expr) => {
        $number + $number
    };
}

#[activity]
async fn charge() -> u64 {
    5
}

#[orchestration]
async fn process(ctx: OrchestrationContext) -> u64 {
    twice!(charge(&ctx).await.unwrap_or(0))
}

fn main() {}
