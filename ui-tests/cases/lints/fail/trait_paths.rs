#![allow(unused)]

use durable_runtime::prelude::*;

use rand::SeedableRng;
use rand::rngs::StdRng;

trait Clock {
    fn now() -> std::time::Instant;
}

impl Clock for std::time::Instant {
    fn now() -> std::time::Instant {
        unimplemented!()
    }
}

#[orchestration]
async fn process(ctx: OrchestrationContext) {
    let seeded = <StdRng as SeedableRng>::seed_from_u64(ctx.random());
    let default = <std::hash::RandomState as Default>::default();
    let made: StdRng = rand::make_rng();
}

fn main() {}
