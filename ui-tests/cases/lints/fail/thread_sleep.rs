#![allow(unused)]

use durable_runtime::prelude::*;

#[orchestration]
async fn process(ctx: OrchestrationContext) {
    std::thread::sleep(Duration::from_secs(1));
}

fn main() {}
