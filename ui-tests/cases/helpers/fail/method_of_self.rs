#![allow(unused)]

use durable_runtime::prelude::*;

struct Pricing {
    cents: u64,
}

impl Pricing {
    #[deterministic]
    fn total(&self) -> u64 {
        self.surcharge() + self.cents
    }

    fn surcharge(&self) -> u64 {
        std::env::args().count() as u64
    }
}

fn main() {}
