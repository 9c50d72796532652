#![allow(unused)]

use durable_runtime::prelude::*;

#[orchestration]
async fn process(ctx: OrchestrationContext) {
    thread_local! {
        static COUNT: u64 = 0;
    }
}

fn main() {}
