#![allow(unused)]

use durable_runtime::prelude::*;

use ulid::Ulid;

#[orchestration]
async fn process(ctx: OrchestrationContext) {
    let id = Ulid::generate();
    let time = uuid::Timestamp::now(uuid::NoContext);
    // In `Cargo.toml`: `dice = { package = "fastrand", .. }`
    let roll = dice::u8(1..=6);
    let seeded = dice::Rng::with_seed(ctx.random());
    let parsed = Ulid::from_string("01D39ZY06FGSCTVN4T2V9PKHFZ");
}

fn main() {}
