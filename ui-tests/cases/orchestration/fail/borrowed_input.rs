#![allow(unused)]

use durable_runtime::prelude::*;

#[orchestration]
async fn process<'a>(ctx: OrchestrationContext, order: &'a str) -> usize {
    order.len()
}

fn main() {}
