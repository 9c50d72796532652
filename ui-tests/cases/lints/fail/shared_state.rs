#![allow(unused)]

use durable_runtime::prelude::*;

use std::sync::atomic::{AtomicU64, Ordering};
use std::sync::{Arc, Mutex};

#[orchestration]
async fn process(ctx: OrchestrationContext) {
    let shared = Arc::new(Mutex::new(1));
    let counter = AtomicU64::new(1);
    let once = std::sync::OnceLock::<u64>::new();
    let lock: Arc<std::sync::RwLock<u64>> = Arc::new(<std::sync::RwLock<u64>>::new(1));
    let order = Ordering::SeqCst;
}

fn main() {}
