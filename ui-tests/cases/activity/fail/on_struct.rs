#![allow(unused)]

use durable_runtime::prelude::*;

#[activity]
struct Card {
    number: String,
}

fn main() {}
