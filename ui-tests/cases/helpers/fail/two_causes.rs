#![allow(unused)]

use durable_runtime::prelude::*;

fn settings() -> String {
    println!("reading settings");
    std::fs::read_to_string("settings").unwrap_or_default()
}

#[orchestration]
async fn process(ctx: OrchestrationContext) -> String {
    settings()
}

fn main() {}
