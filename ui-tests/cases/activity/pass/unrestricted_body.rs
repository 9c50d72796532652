#![allow(unused)]

use durable_runtime::prelude::*;

#[activity]
async fn anything() -> u64 {
    println!("{:?}", std::time::Instant::now());
    let draw: u64 = rand::random();
    tokio::time::sleep(Duration::from_millis(1)).await;
    static COUNT: std::sync::atomic::AtomicU64 = std::sync::atomic::AtomicU64::new(0);
    draw + std::env::args().count() as u64
}

fn main() {}
