#![allow(unused)]

use durable_runtime::prelude::*;

#[activity]
async fn charge(card: Card) -> Receipt {
    unimplemented!()
}

fn main() {}
