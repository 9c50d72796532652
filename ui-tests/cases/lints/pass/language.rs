#![allow(unused)]

use durable_runtime::prelude::*;

use std::cell::{Cell, RefCell};
use std::rc::Rc;
use std::sync::Arc;

#[derive(Clone)]
struct Timed<Instant>(Instant);

trait Now {
    fn now(&self) -> u64;
}

impl Now for u64 {
    fn now(&self) -> u64 {
        *self
    }
}

#[deterministic]
fn first<Utc: Now>(utc: &Utc) -> u64 {
    Utc::now(utc)
}

#[orchestration]
async fn process(ctx: OrchestrationContext) -> u64 {
    let shared = Rc::new(RefCell::new(vec![1_u64]));
    shared.borrow_mut().push(2);
    let cell = Cell::new(1);
    let name: Arc<str> = Arc::from("name");
    let text = concat!("a", "b");
    let number = matches!(shared.borrow().first(), Some(1));
    let json = serde_json::json!({ "list": [1, 2, { "deep": name.len() }], "null": null });
    tracing::info!(order.id = %name, ?number, "text {}", text);
    tracing::debug!(target: "shop", "plain");
    assert!(text.len() == 2, "of {text}");
    let recorded = ctx.side_effect("clock", || std::process::id());
    let array = [0_u8; 4];
    let pinned = std::pin::pin!(ctx.timer(Duration::from_secs(1)));
    pinned.await;
    first(&cell.get())
}

fn main() {}
