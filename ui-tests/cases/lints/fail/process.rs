#![allow(unused)]

use durable_runtime::prelude::*;

#[orchestration]
async fn process(ctx: OrchestrationContext) {
    let id = std::process::id();
    let child = std::process::Command::new("ls").spawn();
}

fn main() {}
