#![allow(unused)]

use durable_runtime::prelude::*;

#[orchestration]
struct Process {
    items: Vec<String>,
}

fn main() {}
