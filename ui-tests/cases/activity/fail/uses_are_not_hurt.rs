#![allow(unused)]

use durable_runtime::prelude::*;

#[activity]
async fn charge(&card: &u64) -> u64 {
    card
}

#[orchestration]
async fn process(order: u64) -> u64 {
    order
}

#[orchestration]
async fn uses_them(ctx: OrchestrationContext) -> u64 {
    let charged: Result<u64, ActivityError> = charge(&ctx, 5).await;
    let processed: Result<u64, ChildError> = process(&ctx, 5).await;
    let text = format!("{} {} {:?}", charge::NAME, process::VERSION, process::OUTLINE);
    5
}

async fn starts_it(client: Client) {
    let handle: Handle<process> = process(&client, 5).start().await.unwrap();
    let number = charge::run(5).await + 1;
}

fn main() {}
