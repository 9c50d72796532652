#![allow(unused)]

use durable_runtime::prelude::*;

struct Declined;

#[activity]
async fn charge(cents: u64) -> Result<u64, Declined> {
    Ok(cents)
}

fn main() {}
