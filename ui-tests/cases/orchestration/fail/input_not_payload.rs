#![allow(unused)]

use durable_runtime::prelude::*;

struct Order;

#[orchestration]
async fn process(ctx: OrchestrationContext, order: Order) -> u64 {
    5
}

async fn start(client: Client) {
    let _ = process(&client, Order).start().await;
}

fn main() {}
