#![allow(unused)]

use durable_runtime::prelude::*;

#[deterministic]
fn age(born: std::time::Instant) -> Duration {
    std::time::Instant::now() - born
}

struct Cart;

impl Cart {
    #[deterministic]
    async fn stamp(&self) -> std::time::SystemTime {
        std::time::SystemTime::now()
    }
}

fn main() {}
