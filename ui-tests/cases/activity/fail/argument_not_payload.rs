#![allow(unused)]

use durable_runtime::prelude::*;

struct Card;

#[activity]
async fn charge(card: Card, cents: u64) -> u64 {
    cents
}

#[orchestration]
async fn calls_it(ctx: OrchestrationContext) -> Result<u64, ActivityError> {
    charge(&ctx, Card, 5).await
}

fn main() {}
