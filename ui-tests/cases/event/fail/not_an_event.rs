#![allow(unused)]

use durable_runtime::prelude::*;

#[derive(Serialize, Deserialize)]
struct Approved;

#[orchestration]
async fn process(ctx: OrchestrationContext) {
    ctx.event::<Approved>().await;
}

fn main() {}
