#![allow(unused)]

use durable_runtime::prelude::*;

#[activity]
async fn greet(name: &str, titles: Vec<&'static str>) -> String {
    format!("{titles:?} {name}")
}

#[orchestration]
async fn calls_it(ctx: OrchestrationContext) -> Result<String, ActivityError> {
    greet(&ctx, "Ada".to_owned(), vec![]).await
}

fn main() {}
