#![allow(unused)]

use durable_runtime::prelude::*;

use std::time::Instant;

#[orchestration]
async fn process(ctx: OrchestrationContext) {
    tracing::info!(target: "shop", started = ?Instant::now(), "received");
    let body = serde_json::json!({ "at": [std::env::args().count()], "id": uuid::Uuid::new_v4().to_string() });
    let named = format!("{now:?}", now = Instant::now());
}

fn main() {}
