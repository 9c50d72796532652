#![allow(unused)]

use durable_runtime::prelude::*;

#[orchestration(timeout = 60)]
async fn a_number(ctx: OrchestrationContext) {}

#[orchestration(timeout = "0s")]
async fn no_time(ctx: OrchestrationContext) {}

fn main() {}
