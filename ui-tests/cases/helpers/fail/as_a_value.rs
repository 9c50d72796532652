#![allow(unused)]

use durable_runtime::prelude::*;

fn jitter(ms: u64) -> u64 {
    ms + rand::random_range(0..10)
}

#[orchestration]
async fn process(ctx: OrchestrationContext) -> Vec<u64> {
    let delays = vec![1, 2].into_iter().map(jitter).collect();
    let text = format!("{}", jitter(4));
    delays
}

fn main() {}
