#![allow(unused)]

use durable_runtime::prelude::*;

#[activity(local)]
fn reads_a_file() -> String {
    String::new()
}

#[activity(local, tag = "gpu")]
async fn renders() {}

#[activity(max_concurrent = 2, local)]
async fn charges() {}

#[activity(local = true)]
async fn says_too_much() {}

fn main() {}
