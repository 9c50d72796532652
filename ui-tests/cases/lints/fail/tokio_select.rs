#![allow(unused)]

use durable_runtime::prelude::*;

#[orchestration]
async fn process(ctx: OrchestrationContext) {
    tokio::select! {
        () = ctx.timer(Duration::from_secs(1)) => {}
        () = ctx.timer(Duration::from_secs(2)) => {}
    }
}

fn main() {}
