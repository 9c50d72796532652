#![allow(unused)]

use durable_runtime::prelude::*;

#[deterministic]
async fn helper<F: Future<Output = u64>>(future: F) -> u64 {
    future.await
}

fn main() {}
