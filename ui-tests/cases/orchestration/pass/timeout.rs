#![allow(unused)]

use durable_runtime::prelude::*;

#[orchestration(timeout = "1h 30m", version = "2.0.0")]
async fn limited(ctx: OrchestrationContext) -> u32 {
    1
}

#[orchestration]
async fn unlimited(ctx: OrchestrationContext) {}

fn main() {
    use durable_runtime::Orchestration;
    assert_eq!(<limited as Orchestration>::TIMEOUT, Some(Duration::from_secs(5_400)));
    assert_eq!(<unlimited as Orchestration>::TIMEOUT, None);
}
