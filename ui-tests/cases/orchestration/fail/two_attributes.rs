#![allow(unused)]

use durable_runtime::prelude::*;

#[orchestration]
#[orchestration]
async fn process(ctx: OrchestrationContext) {}

fn main() {}
