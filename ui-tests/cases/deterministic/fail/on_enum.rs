#![allow(unused)]

use durable_runtime::prelude::*;

#[deterministic]
enum State {
    Open,
}

fn main() {}
