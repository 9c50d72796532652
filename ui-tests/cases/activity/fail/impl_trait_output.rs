#![allow(unused)]

use durable_runtime::prelude::*;

#[activity]
async fn lines() -> impl Iterator<Item = String> {
    std::iter::empty()
}

fn main() {}
