#![allow(unused)]

use durable_runtime::prelude::*;

#[orchestration]
async fn process(ctx: OrchestrationContext) {
    #[allow_nondeterminism(wall_clock)]
    let start = std::time::Instant::now();
    #[allow_nondeterminism(wall_clock, reason = " ")]
    let end = std::time::Instant::now();
}

fn main() {}
