#![allow(unused)]

use durable_runtime::prelude::*;

#[derive(Serialize, Deserialize)]
struct C(u8);

#[derive(Serialize, Deserialize)]
struct Arguments(u8);

#[derive(Serialize, Deserialize)]
struct Result;

#[orchestration]
async fn process(ctx: OrchestrationContext, caller: C, arguments: Arguments, context: u8, map: u8) -> Result {
    Result
}

#[activity]
async fn run(ctx: ActivityContext, arguments: Arguments, object: C, value: u8, serializer: u8) -> Result {
    Result
}

#[orchestration]
async fn calls_them(ctx: OrchestrationContext) {
    let _ = process(&ctx, C(1), Arguments(2), 3, 4).await;
    let _ = run(&ctx, Arguments(1), C(2), 3, 4).await;
}

fn main() {}
