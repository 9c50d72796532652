#![allow(unused)]

use durable_runtime::prelude::*;

#[activity]
async fn version() -> &'static str {
    "1"
}

#[orchestration]
async fn calls_it(ctx: OrchestrationContext) -> Result<usize, ActivityError> {
    let version = version(&ctx).await?;
    Ok(version.len())
}

fn main() {}
