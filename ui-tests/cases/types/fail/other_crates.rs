#![allow(unused)]

use durable_runtime::prelude::*;
use rand::RngExt as _;

struct Tools {
    lock: parking_lot::Mutex<u32>,
    table: dashmap::DashMap<u32, u32>,
    dice: rand::rngs::ThreadRng,
}

#[orchestration]
async fn process(ctx: OrchestrationContext) {
    let tools: Option<Tools> = None;
    if let Some(mut tools) = tools {
        let locked = tools.lock.lock();
        let all = tools.table.iter().count();
        let number: u32 = tools.dice.random();
    }
}

fn main() {}
