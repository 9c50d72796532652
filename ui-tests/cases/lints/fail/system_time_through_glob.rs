#![allow(unused)]

use durable_runtime::prelude::*;

use std::time::*;

#[orchestration]
async fn process(ctx: OrchestrationContext) {
    let start = SystemTime::now();
}

fn main() {}
