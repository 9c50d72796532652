#![allow(unused)]

use durable_runtime::prelude::*;

use dashmap::DashMap;
use parking_lot::Mutex as Lock;

#[orchestration]
async fn process(ctx: OrchestrationContext) {
    let lock = Lock::new(1);
    let map: DashMap<u64, u64> = DashMap::new();
    let notify = tokio::sync::Notify::new();
}

fn main() {}
