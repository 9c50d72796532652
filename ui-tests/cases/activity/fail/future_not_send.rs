#![allow(unused)]

use durable_runtime::prelude::*;

use std::rc::Rc;

#[activity]
async fn charge(cents: u64) -> u64 {
    let shared = Rc::new(cents);
    tokio::time::sleep(Duration::from_secs(1)).await;
    *shared
}

fn main() {}
