#![allow(unused)]

use durable_runtime::prelude::*;

use std::pin::Pin;

#[deterministic]
async fn helper(future: Pin<Box<dyn Future<Output = u64>>>) -> u64 {
    future.await
}

fn main() {}
