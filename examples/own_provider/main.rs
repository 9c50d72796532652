//! A store of your own is a type with one trait. This one, in `shelf.rs`, passes every check of the suite
//! (`tests/own_provider.rs`), so an orchestration runs on it as on any other; here with a layer that counts the calls.

use std::error::Error;

use durable_runtime::SystemClock;
use durable_runtime::prelude::*;
use durable_runtime::providers::{Measured, Operation};

mod shelf;

#[activity]
fn fetch_book(title: String) -> String {
    format!("`{title}` from the shelf")
}

#[orchestration]
async fn lend(ctx: OrchestrationContext, titles: Vec<String>) -> Result<Vec<String>, ActivityError> {
    let mut lent = Vec::new();
    for title in titles {
        lent.push(fetch_book(&ctx, title).await?);
    }
    Ok(lent)
}

#[tokio::main]
async fn main() -> Result<(), Box<dyn Error>> {
    let store = Measured::new(shelf::Shelf::new(SystemClock));
    let measures = store.measures();
    let runtime = Runtime::builder(store).start().await?;
    let titles = ["Dune", "Emma", "Ulysses"].map(str::to_owned).to_vec();
    let lent = lend(&runtime.client(), titles).id("reader-7").start().await?.result().await?;
    println!("lent {}", lent.join(", "));
    println!("{} transactions", measures.snapshot().of(Operation::Commit).calls);
    runtime.shutdown(Duration::from_secs(5)).await;
    Ok(())
}
