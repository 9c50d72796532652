#![allow(unused)]

use durable_runtime::prelude::*;

use std::time::{Duration as Length, Instant as Clock};

#[orchestration]
async fn process(ctx: OrchestrationContext) {
    let start = Clock::now();
}

fn main() {}
