#![allow(unused)]

use durable_runtime::prelude::*;

#[orchestration]
async fn process(ctx: OrchestrationContext) {
    let caught = std::panic::catch_unwind(|| 1);
}

fn main() {}
