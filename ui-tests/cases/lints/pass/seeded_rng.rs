#![allow(unused)]

use durable_runtime::prelude::*;

use rand::rngs::StdRng;
use rand::seq::SliceRandom as _;
use rand::{RngExt as _, SeedableRng as _};

#[orchestration]
async fn process(ctx: OrchestrationContext) -> u8 {
    let mut dice = StdRng::seed_from_u64(ctx.random());
    let mut cards = [1, 2, 3];
    cards.shuffle(&mut dice);
    dice.random_range(1..=6) + cards[0]
}

fn main() {}
