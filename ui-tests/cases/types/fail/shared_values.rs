#![allow(unused)]

use std::cell::Cell;
use std::sync::atomic::{AtomicU64, Ordering};
use std::sync::{Mutex, RwLock};

use durable_runtime::prelude::*;

static COUNT: AtomicU64 = AtomicU64::new(0);
static NAMES: Mutex<Vec<String>> = Mutex::new(Vec::new());
static LIMITS: RwLock<u64> = RwLock::new(1);

thread_local! {
    static LAST: Cell<u64> = const { Cell::new(0) };
}

#[orchestration]
async fn process(ctx: OrchestrationContext) {
    let count = COUNT.load(Ordering::SeqCst);
    COUNT.fetch_add(1, Ordering::SeqCst);
    NAMES.lock().unwrap().push("name".to_owned());
    let limit = *LIMITS.read().unwrap();
    let last = LAST.with(|last| last.get());
    let again = LAST.get();
    let shared = std::rc::Rc::new(&NAMES);
    let names = shared.lock();
}

fn main() {}
