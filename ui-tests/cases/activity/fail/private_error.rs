#![allow(unused)]

use durable_runtime::prelude::*;

#[derive(Serialize, Deserialize)]
struct Declined;

#[activity]
pub async fn charge(cents: u64) -> Result<u64, Declined> {
    Ok(cents)
}

fn main() {}
