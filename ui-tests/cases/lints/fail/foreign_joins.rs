#![allow(unused)]

use durable_runtime::prelude::*;

use futures::future::join3;

fn joined() {
    let future = async { tokio::join!(async {}) };
}

#[orchestration]
async fn process(ctx: OrchestrationContext) {
    let second = Duration::from_secs(1);
    tokio::join!(biased; ctx.timer(second), ctx.timer(second));
    let three = join3(ctx.timer(second), ctx.timer(second), ctx.timer(second)).await;
    let both = futures::future::join(ctx.timer(second), ctx.timer(second)).await;
    joined();
}

fn main() {}
