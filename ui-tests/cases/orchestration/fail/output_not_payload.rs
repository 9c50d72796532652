#![allow(unused)]

use durable_runtime::prelude::*;

struct Confirmation;

#[orchestration]
async fn process(ctx: OrchestrationContext) -> Confirmation {
    Confirmation
}

fn main() {}
