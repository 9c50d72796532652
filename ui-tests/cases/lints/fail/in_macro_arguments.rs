#![allow(unused)]

use durable_runtime::prelude::*;

#[orchestration]
async fn process(ctx: OrchestrationContext) {
    let text = format!("{:?}", std::time::Instant::now());
    let list = vec![std::time::Instant::now()];
    assert!(std::env::args().count() > 1, "{}", text);
    let yes = matches!(std::env::var("A"), Ok(value) if value.is_empty());
}

fn main() {}
