#![allow(unused)]

use durable_runtime::prelude::*;

#[activity]
async fn charge(cents: u64) -> Result<u64, Box<dyn std::error::Error>> {
    Ok(cents)
}

fn main() {}
