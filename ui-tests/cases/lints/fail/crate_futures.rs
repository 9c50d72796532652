#![allow(unused)]

use durable_runtime::prelude::*;

use futures::FutureExt as _;
use futures::future::{self, join_all as all};

async fn foreign() -> u64 {
    1
}

#[orchestration]
async fn process(ctx: OrchestrationContext) {
    let blocked = futures::executor::block_on(foreign());
    let both = future::join(foreign(), foreign()).await;
    let many = all([foreign()]).await;
    let first = future::select_all([foreign().boxed()]).await;
    let raced = futures::select! {
        sum = foreign().boxed().fuse() => sum,
    };
    let (sender, receiver) = futures::channel::oneshot::channel::<u64>();
    let waiting = futures::stream::FuturesUnordered::<future::Ready<u64>>::new();
}

fn main() {}
