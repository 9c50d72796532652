#![allow(unused)]

use durable_runtime::prelude::*;

#[orchestration]
async fn process(ctx: OrchestrationContext) {
    let map = std::collections::HashMap::<u64, u64, _>::with_hasher(std::hash::RandomState::new());
}

fn main() {}
