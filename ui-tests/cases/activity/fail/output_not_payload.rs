#![allow(unused)]

use durable_runtime::prelude::*;

struct Receipt;

#[activity]
async fn charge(cents: u64) -> Receipt {
    Receipt
}

#[orchestration]
async fn calls_it(ctx: OrchestrationContext) -> u64 {
    let Ok(Receipt) = charge(&ctx, 5).await else { return 0 };
    1
}

fn main() {}
