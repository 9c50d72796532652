#![allow(unused)]

use durable_runtime::prelude::*;

#[orchestration(version = "1.0")]
async fn one(ctx: OrchestrationContext) {}

#[orchestration(version = 2)]
async fn two(ctx: OrchestrationContext) {}

fn main() {}
