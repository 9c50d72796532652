#![allow(unused)]

use durable_runtime::prelude::*;

#[orchestration]
async fn process(ctx: OrchestrationContext) {
    println!("started");
    eprintln!("{}", 1);
    dbg!(2);
    std::print!("");
}

fn main() {}
