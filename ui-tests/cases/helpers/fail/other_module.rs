#![allow(unused)]

use durable_runtime::prelude::*;

use util::stamp;

mod util {
    pub fn stamp() -> u64 {
        super::dice::roll()
    }
}

mod dice {
    use rand::random as throw;

    pub fn roll() -> u64 {
        throw()
    }
}

#[orchestration]
async fn process(ctx: OrchestrationContext) -> u64 {
    stamp() + crate::util::stamp()
}

fn main() {}
