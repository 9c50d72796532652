#![allow(unused)]

use durable_runtime::prelude::*;

static mut STARTED: u64 = 0;

#[orchestration]
async fn process(ctx: OrchestrationContext) -> u64 {
    unsafe {
        STARTED += 1;
        STARTED
    }
}

fn main() {}
