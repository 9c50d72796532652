#![allow(unused)]

use durable_runtime::prelude::*;

struct Shop;

impl Shop {
    #[orchestration]
    async fn process(&self, ctx: OrchestrationContext) {}
}

fn main() {}
