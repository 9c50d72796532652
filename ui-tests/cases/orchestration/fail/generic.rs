#![allow(unused)]

use durable_runtime::prelude::*;

#[orchestration]
async fn process<T, const N: usize>(ctx: OrchestrationContext, order: [T; N]) -> T {
    unimplemented!()
}

fn main() {}
