#![allow(unused)]

use durable_runtime::prelude::*;

#[orchestration(versoin = "1.0.0", retry(max_attempts = 3))]
async fn process(ctx: OrchestrationContext) {}

fn main() {}
