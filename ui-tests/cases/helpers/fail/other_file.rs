#![allow(unused)]

use durable_runtime::prelude::*;

#[path = "../parts/clocks.rs"]
mod clocks;
mod stamps;

#[orchestration]
async fn process(ctx: OrchestrationContext) {
    let by_path = clocks::monotonic();
    let by_folder = stamps::home();
    let in_a_child = stamps::files::first();
}

fn main() {}
