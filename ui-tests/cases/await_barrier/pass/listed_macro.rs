#![allow(unused)]

use durable_runtime::prelude::*;

macro_rules! twice {
    ($number:expr) => {
        $number + $number
    };
}

macro_rules! once {
    ($number:expr) => {
        $number
    };
}

#[activity]
async fn charge() -> u64 {
    5
}

#[orchestration(macros(twice, once, self::other))]
async fn process(ctx: OrchestrationContext) -> u64 {
    twice!(charge(&ctx).await.unwrap_or(0)) + once!(3)
}

fn main() {}
