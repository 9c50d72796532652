#![allow(unused)]

use durable_runtime::prelude::*;

mod steps {
    use durable_runtime::prelude::*;

    #[activity]
    pub(crate) async fn charge(cents: u64) -> u64 {
        cents
    }

    #[orchestration(version = "2.1.0")]
    pub(super) async fn process(ctx: OrchestrationContext, cents: u64) -> Result<u64, ActivityError> {
        charge(&ctx, cents).await
    }
}

use steps::{charge, process};

#[orchestration]
async fn calls_them(ctx: OrchestrationContext) -> Result<u64, ActivityError> {
    let first = charge(&ctx, 5).await?;
    let second = process(&ctx, 5).await.unwrap_or(0);
    Ok(first + second)
}

fn main() {
    assert_eq!((charge::NAME, process::NAME, process::VERSION), ("charge", "process", "2.1.0"));
}
