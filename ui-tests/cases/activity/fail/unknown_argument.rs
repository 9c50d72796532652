#![allow(unused)]

use durable_runtime::prelude::*;

#[activity(timout = "1m", queue = "slow")]
async fn charge() {}

fn main() {}
