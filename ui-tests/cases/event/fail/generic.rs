#![allow(unused)]

use durable_runtime::prelude::*;

#[derive(Event, Serialize, Deserialize)]
struct Approved<T> {
    by: T,
}

fn main() {}
