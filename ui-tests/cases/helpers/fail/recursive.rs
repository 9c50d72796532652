#![allow(unused)]

use durable_runtime::prelude::*;

fn ping(depth: u32) -> u32 {
    if depth == 0 { 0 } else { pong(depth - 1) }
}

fn pong(depth: u32) -> u32 {
    ping(depth) + std::process::id()
}

#[orchestration]
async fn process(ctx: OrchestrationContext) -> u32 {
    ping(3) + pong(2)
}

fn main() {}
