#![allow(unused)]

use durable_runtime::prelude::*;

#[orchestration]
async fn process(ctx: OrchestrationContext, other: OrchestrationContext) {}

fn main() {}
