#![allow(unused)]

use durable_runtime::prelude::*;

use std::sync::mpsc;

#[orchestration]
async fn process(ctx: OrchestrationContext) {
    let (sender, receiver) = mpsc::channel::<u64>();
    let (sender, receiver) = tokio::sync::oneshot::channel::<u64>();
}

fn main() {}
