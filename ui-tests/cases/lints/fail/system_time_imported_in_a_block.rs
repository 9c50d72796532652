#![allow(unused)]

use durable_runtime::prelude::*;

#[orchestration]
async fn process(ctx: OrchestrationContext) {
    if ctx.history_len() > 3 {
        use std::time::SystemTime;
        let start = SystemTime::now();
    }
}

fn main() {}
