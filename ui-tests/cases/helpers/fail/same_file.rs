#![allow(unused)]

use durable_runtime::prelude::*;

fn label() -> String {
    format!("made at {:?}", stamp())
}

fn stamp() -> std::time::SystemTime {
    std::time::SystemTime::now()
}

#[orchestration]
async fn process(ctx: OrchestrationContext) -> String {
    let once = label();
    let twice = label();
    once
}

fn main() {}
