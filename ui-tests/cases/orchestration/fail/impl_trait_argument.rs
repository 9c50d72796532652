#![allow(unused)]

use durable_runtime::prelude::*;

#[orchestration]
async fn process(ctx: OrchestrationContext, items: impl Iterator<Item = String>) {}

fn main() {}
