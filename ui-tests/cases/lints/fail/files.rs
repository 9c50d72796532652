#![allow(unused)]

use durable_runtime::prelude::*;

use std::fs::File;

#[orchestration]
async fn process(ctx: OrchestrationContext) {
    let text = std::fs::read_to_string("orders.txt");
    let file = File::open("orders.txt");
}

fn main() {}
