#![allow(unused)]

use durable_runtime::prelude::*;

use std::time::Instant;

#[activity]
async fn charge(cents: u64) -> u64 {
    cents
}

#[orchestration]
async fn process(ctx: OrchestrationContext) {
    let both = join!(charge(&ctx, rand::random()), async { Instant::now() });
    let first = select! {
        sum = charge(&ctx, 1), if std::env::var("A").is_ok() => sum.ok(),
        () = ctx.timer(Duration::from_secs(1)) => { std::process::exit(1) }
    };
}

fn main() {}
