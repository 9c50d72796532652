#![allow(unused)]

use durable_runtime::prelude::*;

#[orchestration]
async fn process(ctx: OrchestrationContext) {
    let random = uuid::Uuid::new_v4();
}

fn main() {}
