#![allow(unused)]

use std::collections::{HashMap, HashSet};

use durable_runtime::prelude::*;

type Lines = HashMap<String, u32>;

struct Order {
    lines: Lines,
}

#[deterministic]
fn stock() -> HashMap<String, u32> {
    HashMap::new()
}

#[orchestration]
async fn process(ctx: OrchestrationContext) {
    let mut lines: Lines = HashMap::new();
    for (name, count) in &lines {}
    for name in lines.keys() {}
    let total: u32 = lines.values().sum();
    let names: Vec<&String> = lines.keys().collect();
    for (name, count) in lines.drain() {}
    let order = Order { lines };
    order.lines.iter().for_each(drop);
    let seen = HashSet::from([1, 2]);
    let first = seen.iter().next();
    for one in seen {}
    for (name, count) in stock() {}
    stock().into_values().for_each(drop);
    let shelves = vec![stock()];
    for name in shelves[0].keys() {}
    let shared = std::rc::Rc::new(stock());
    for count in shared.values() {}
    let cell = std::cell::RefCell::new(stock());
    for (name, count) in cell.borrow().iter() {}
    let mut all: Vec<(String, u32)> = Vec::new();
    let more = stock();
    all.extend(more);
}

fn main() {}
