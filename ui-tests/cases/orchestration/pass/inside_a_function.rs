#![allow(unused)]

use durable_runtime::prelude::*;

#[orchestration]
async fn outer(ctx: OrchestrationContext) -> Result<u32, ChildError> {
    #[orchestration]
    async fn inner(ctx: OrchestrationContext, number: u32) -> u32 {
        number + 1
    }

    inner(&ctx, 1).await
}

fn main() {}
