#![allow(unused)]

use durable_runtime::prelude::*;

struct Shop;

impl Shop {
    #[activity]
    async fn charge(&self, cents: u64) -> u64 {
        cents
    }
}

fn main() {}
