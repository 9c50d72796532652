#![allow(unused)]

use durable_runtime::prelude::*;

use chrono::Local;

#[orchestration]
async fn process(ctx: OrchestrationContext) {
    let utc = chrono::Utc::now();
    let local = Local::now();
}

fn main() {}
