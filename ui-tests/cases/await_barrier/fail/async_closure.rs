#![allow(unused)]

use durable_runtime::prelude::*;

#[orchestration]
async fn process(ctx: OrchestrationContext) -> u64 {
    let later = async |number: u64| number + 1;
    1
}

fn main() {}
