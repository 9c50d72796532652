#![allow(unused)]

use durable_runtime::prelude::*;

#[orchestration]
async fn process(ctx: OrchestrationContext) {
    let numbers: Vec<u64> = (0..3).map(|_| rand::random()).collect();
}

fn main() {}
