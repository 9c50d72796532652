#![allow(unused)]

use durable_runtime::prelude::*;

#[orchestration]
#[tokio::main]
async fn process(ctx: OrchestrationContext) {}

fn main() {}
