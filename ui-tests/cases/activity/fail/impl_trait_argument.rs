#![allow(unused)]

use durable_runtime::prelude::*;

#[activity]
async fn greet(name: impl Into<String>) -> String {
    name.into()
}

fn main() {}
