#![allow(unused)]

use durable_runtime::prelude::*;

use tokio::sync::oneshot;

#[orchestration]
async fn process(ctx: OrchestrationContext) -> u64 {
    let (sender, receiver) = oneshot::channel::<u64>();
    receiver.await.unwrap_or(0)
}

fn main() {}
