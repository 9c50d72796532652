#![allow(unused)]

use durable_runtime::prelude::*;

#[orchestration]
async fn process(ctx: OrchestrationContext) -> u64 {
    async fn not_durable() -> std::time::Instant {
        std::future::ready(()).await;
        std::time::Instant::now()
    }
    struct Inner;
    impl Inner {
        async fn clock(&self) -> std::time::Instant {
            not_durable().await
        }
    }
    5
}

fn main() {}
