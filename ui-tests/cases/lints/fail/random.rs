#![allow(unused)]

use durable_runtime::prelude::*;

use rand::rng as dice;

#[orchestration]
async fn process(ctx: OrchestrationContext) {
    let number: u64 = rand::random();
    let generator = dice();
}

fn main() {}
