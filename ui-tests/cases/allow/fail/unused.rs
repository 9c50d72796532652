#![allow(unused)]

use durable_runtime::prelude::*;

#[allow_nondeterminism(wall_clock, reason = "there was a clock once")]
fn helper() -> u64 {
    5
}

#[orchestration]
#[allow_nondeterminism(files, reason = "there was a file once")]
async fn process(ctx: OrchestrationContext) -> u64 {
    #[allow_nondeterminism(wall_clock, environment, reason = "only shown")]
    let start = std::time::Instant::now();
    helper()
}

fn main() {}
