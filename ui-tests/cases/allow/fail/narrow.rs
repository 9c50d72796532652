#![allow(unused)]

use durable_runtime::prelude::*;

#[orchestration]
async fn process(ctx: OrchestrationContext) {
    #[allow_nondeterminism(wall_clock, reason = "only shown")]
    let start = std::time::Instant::now();
    let end = std::time::Instant::now();
    #[allow_nondeterminism(wall_clock, reason = "only shown")]
    let id = (std::time::Instant::now(), std::process::id());
}

fn main() {}
