#![allow(unused)]

use durable_runtime::prelude::*;

use std::time::Instant;

struct Cart {
    opened: Instant,
}

impl Cart {
    fn open() -> Self {
        Self { opened: Self::clock() }
    }

    fn clock() -> Instant {
        Instant::now()
    }
}

#[orchestration]
async fn process(ctx: OrchestrationContext) {
    let cart = Cart::open();
}

fn main() {}
