#![allow(unused)]

use durable_runtime::prelude::*;

use rand::random;
use std::env::var;
use std::thread::{sleep, spawn};
use std::time::SystemTime;

#[orchestration]
async fn process(ctx: OrchestrationContext) {
    let random = 5;
    let now = |sleep: u64| sleep + random;
    let spawn = now(random);
    match spawn {
        var => drop(var),
    }
}

fn main() {}
