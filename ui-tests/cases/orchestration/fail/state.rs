#![allow(unused)]

use durable_runtime::prelude::*;

struct Rates;

#[orchestration]
async fn process(ctx: OrchestrationContext, rates: State<Rates>) {}

fn main() {}
