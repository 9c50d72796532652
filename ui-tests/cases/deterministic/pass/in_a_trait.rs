#![allow(unused)]

use durable_runtime::prelude::*;

trait Pricing {
    #[deterministic]
    async fn price(&self, ctx: OrchestrationContext) -> u64 {
        ctx.timer(Duration::from_secs(1)).await;
        5
    }
}

struct Flat;

impl Pricing for Flat {}

#[orchestration]
async fn process(ctx: OrchestrationContext) -> u64 {
    Flat.price(ctx).await
}

fn main() {}
