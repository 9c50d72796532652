//! States that activities take.

use std::sync::atomic::{AtomicU32, Ordering};

use durable_runtime::prelude::*;
use durable_runtime::{RegistryError, RuntimeError};

use super::kit::{end, soon};

struct Counter(AtomicU32);

struct Greeting(String);

#[activity]
async fn greets(ctx: ActivityContext, counter: State<Counter>, name: String, greeting: State<Greeting>) -> String {
    let number = counter.0.fetch_add(1, Ordering::SeqCst) + ctx.attempt();
    format!("{}, {name}! You are number {number}.", greeting.0)
}

#[activity]
fn greets_blocking(name: String, greeting: State<Greeting>) -> String {
    format!("{}, {name}!", greeting.0)
}

#[orchestration]
async fn greets_twice(ctx: OrchestrationContext, name: String) -> Result<(String, String), ActivityError> {
    let first = greets(&ctx, name.clone()).await?;
    Ok((first, greets_blocking(&ctx, name).await?))
}

fn builder() -> durable_runtime::RuntimeBuilder {
    Runtime::builder(MemoryProvider::new())
        .automatic_registration(false)
        .register::<greets_twice>()
        .register_activity::<greets>()
        .register_activity::<greets_blocking>()
}

#[tokio::test]
async fn activities_get_the_states_of_their_runtime() {
    let runtime = builder().state(Counter(AtomicU32::new(6))).state(Greeting("Hello".into())).start().await.unwrap();
    let handle = greets_twice(&runtime.client(), "Ada".into()).start().await.unwrap();
    let greetings = soon(handle.result()).await.unwrap();
    assert_eq!(greetings, ("Hello, Ada! You are number 7.".to_owned(), "Hello, Ada!".to_owned()));
    end(runtime).await;
}

#[tokio::test]
async fn a_state_that_is_missing_stops_the_start() {
    let started = builder().state(Greeting("Hello".into())).start().await;
    let error = started.map(|_| ()).unwrap_err();
    let RuntimeError::Registry(RegistryError::MissingState { activity, type_name, .. }) = &error else {
        panic!("{error}");
    };
    assert_eq!(*activity, "greets");
    assert!(type_name.ends_with("states::Counter"), "{type_name}");
    assert!(error.to_string().contains("add `.state(..)`"), "{error}");
}
