#![allow(unused)]

use durable_runtime::prelude::*;

#[derive(Serialize)]
struct Card {
    number: String,
}

#[activity]
fn charge(card: Card) -> u64 {
    5
}

fn main() {}
