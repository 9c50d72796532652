#![allow(unused)]

use std::collections::HashSet;

use durable_runtime::prelude::*;

#[orchestration]
async fn process(ctx: OrchestrationContext, seen: HashSet<u32>, rest: Vec<HashSet<String>>) {}

#[activity]
async fn count(seen: Option<HashSet<u32>>) -> usize {
    0
}

#[activity]
async fn collect() -> HashSet<u32> {
    HashSet::new()
}

#[activity]
async fn refuse() -> Result<u32, Vec<HashSet<u32>>> {
    Ok(1)
}

#[derive(Event, Serialize, Deserialize)]
struct Chosen {
    by: String,
    rooms: HashSet<u32>,
}

#[derive(Event, Serialize, Deserialize)]
enum Voted {
    Nobody,
    For(Option<HashSet<String>>),
}

fn main() {}
