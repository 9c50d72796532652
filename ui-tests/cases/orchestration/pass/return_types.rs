#![allow(unused)]

use durable_runtime::prelude::*;

type Outcome<T> = std::result::Result<T, Box<str>>;

#[orchestration]
async fn nothing(_: OrchestrationContext) {}

#[orchestration]
async fn plain(_ctx: OrchestrationContext) -> u64 {
    5
}

#[orchestration]
async fn aliased(ctx: OrchestrationContext, depth: u8) -> Outcome<Vec<u64>> {
    let number: u64 = "5".parse().map_err(|error: std::num::ParseIntError| error.to_string())?;
    if depth > 3 {
        return Err("too deep".into());
    }
    let deeper = aliased(&ctx, depth + 1).await;
    nothing(&ctx).detach();
    let _: Result<(), ChildError> = nothing(&ctx).await;
    deeper.map_err(|error| format!("{error:?}").into())
}

fn main() {}
