//! The smallest durable program: it greets Ada once, however often it is started.
//!
//! The second run finds the instance `greeting-of-ada` in `target/hello` and tells what it came to; `greet` is not
//! called again.

use durable_runtime::prelude::*;

#[activity]
async fn greet(name: String) -> String {
    println!("greeting {name} ...");
    format!("Hello, {name}!")
}

#[orchestration]
async fn welcome(ctx: OrchestrationContext, name: String) -> Result<String, ActivityError> {
    greet(&ctx, name).await
}

#[tokio::main]
async fn main() -> Result<(), Box<dyn std::error::Error>> {
    let store = SledProvider::open("target/hello")?;
    let runtime = Runtime::builder(store).start().await?;
    let request = welcome(&runtime.client(), "Ada".to_owned()).id("greeting-of-ada");
    let handle = request.if_exists(IfExists::UseExisting).start().await?;
    println!("{}", handle.result().await?);
    runtime.shutdown(Duration::from_secs(5)).await;
    Ok(())
}
