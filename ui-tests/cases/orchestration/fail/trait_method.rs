#![allow(unused)]

use durable_runtime::prelude::*;

trait Shop {
    #[orchestration]
    async fn process(ctx: OrchestrationContext);
}

fn main() {}
