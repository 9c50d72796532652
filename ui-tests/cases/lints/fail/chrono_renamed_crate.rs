#![allow(unused)]

use durable_runtime::prelude::*;

extern crate chrono as calendar;

#[orchestration]
async fn process(ctx: OrchestrationContext) {
    let utc = calendar::Utc::now();
}

fn main() {}
