#![allow(unused)]

use durable_runtime::prelude::*;

#[orchestration]
async fn process(ctx: OrchestrationContext) {
    let number = unsafe { std::mem::zeroed::<u64>() };
}

fn main() {}
