#![allow(unused)]

use durable_runtime::prelude::*;

#[derive(Event)]
struct Approved {
    by: String,
}

fn main() {}
