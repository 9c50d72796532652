//! What user code breaks, it breaks for itself only (I15).

use std::collections::BTreeMap;

use durable_runtime::client::ResultError;
use durable_runtime::prelude::*;

use super::kit::{end, in_memory, payloads_of, soon};

struct Bomb;

impl Drop for Bomb {
    fn drop(&mut self) {
        panic!("in drop");
    }
}

#[activity]
async fn breaks(how: String) -> u32 {
    match how.as_str() {
        "before" => panic!("before the first await"),
        "after" => {
            tokio::task::yield_now().await;
            panic!("after {}", "the first await");
        }
        "in drop" => {
            let _bomb = Bomb;
            tokio::task::yield_now().await;
            7
        }
        "no text" => std::panic::panic_any(7_u32),
        "a payload that panics when it is dropped" => std::panic::panic_any(Bomb),
        _ => 7,
    }
}

#[activity]
fn breaks_blocking(how: String) -> u32 {
    match how.as_str() {
        "in drop" => {
            let _bomb = Bomb;
            7
        }
        "no text" => std::panic::panic_any(7_u32),
        _ => panic!("blocking"),
    }
}

#[activity(timeout = "5ms")]
async fn breaks_when_it_is_given_up() -> u32 {
    let _bomb = Bomb;
    std::future::pending().await
}

#[orchestration]
async fn meets_breaks(ctx: OrchestrationContext, how: String) -> Result<u32, ActivityError> {
    breaks(&ctx, how).await
}

#[orchestration]
async fn meets_blocking_breaks(ctx: OrchestrationContext, how: String) -> Result<u32, ActivityError> {
    breaks_blocking(&ctx, how).await
}

#[orchestration]
async fn gives_up_what_breaks(ctx: OrchestrationContext) -> Result<u32, ActivityError> {
    breaks_when_it_is_given_up(&ctx).await
}

fn panic_of(error: ResultError<ActivityError>) -> (String, bool) {
    match error {
        ResultError::Failed(ActivityError::Panicked { message, place }) => {
            (message, place.is_some_and(|place| place.contains("panics.rs:")))
        }
        other => panic!("{other}"),
    }
}

#[tokio::test]
async fn each_panic_of_a_body_is_one_recorded_failure() {
    let runtime = Runtime::builder(MemoryProvider::new()).activities_max(1).start().await.unwrap();
    let client = runtime.client();
    for (how, message) in [
        ("before", "before the first await"),
        ("after", "after the first await"),
        ("in drop", "in drop"),
        ("no text", "a value that is not a text"),
        ("a payload that panics when it is dropped", "a value that is not a text"),
    ] {
        let error = soon(meets_breaks(&client, how.into()).start().await.unwrap().result()).await.unwrap_err();
        assert_eq!(panic_of(error), (message.to_owned(), true), "{how}");
    }
    for (how, message) in [("", "blocking"), ("in drop", "in drop"), ("no text", "a value that is not a text")] {
        let handle = meets_blocking_breaks(&client, how.into()).start().await.unwrap();
        assert_eq!(panic_of(soon(handle.result()).await.unwrap_err()), (message.to_owned(), true), "{how}");
    }
    let error = soon(gives_up_what_breaks(&client).start().await.unwrap().result()).await.unwrap_err();
    assert!(matches!(error, ResultError::Failed(ActivityError::TimedOut { .. })), "{error}");
    // The one slot is still there.
    assert_eq!(soon(meets_breaks(&client, "not at all".into()).start().await.unwrap().result()).await.unwrap(), 7);
    end(runtime).await;
}

#[orchestration]
async fn breaks_itself(ctx: OrchestrationContext, how: String) -> u32 {
    if how == "before" {
        panic!("the orchestration, before");
    }
    if how == "when it is dropped" {
        let _bomb = Bomb;
        ctx.timer(Duration::from_secs(3_600)).await;
    }
    ctx.timer(Duration::from_millis(1)).await;
    if how == "no text" {
        std::panic::panic_any(7_u32);
    }
    let _bomb = Bomb;
    ctx.timer(Duration::from_millis(1)).await;
    7
}

#[tokio::test]
async fn an_orchestration_that_panics_fails_and_its_shard_goes_on() {
    let runtime = Runtime::builder(MemoryProvider::new()).shards(1).start().await.unwrap();
    let client = runtime.client();
    for (how, text) in [("before", "the orchestration, before"), ("no text", "not a text"), ("in drop", "in drop")] {
        let handle = breaks_itself(&client, how.into()).start().await.unwrap();
        let error = soon(handle.result()).await.unwrap_err();
        assert!(matches!(error, ResultError::Panicked { .. }), "{error:?}");
        assert!(error.to_string().contains(text), "{error}");
        assert_eq!(handle.status().await.unwrap().status, Status::Failed);
    }
    let dropped = breaks_itself(&client, "when it is dropped".into()).start().await.unwrap();
    soon(dropped.terminate("enough")).await.unwrap();
    assert_eq!(dropped.status().await.unwrap().status, Status::Terminated);
    assert_eq!(soon(meets_breaks(&client, "not at all".into()).start().await.unwrap().result()).await.unwrap(), 7);
    end(runtime).await;
}

type Unencodable = BTreeMap<Vec<u8>, u8>;

#[activity]
async fn returns_what_cannot_be_kept() -> Unencodable {
    BTreeMap::from([(vec![1], 1)])
}

#[activity]
async fn returns_bytes(count: usize) -> String {
    "x".repeat(count)
}

#[activity]
async fn takes_text(text: String) -> usize {
    text.len()
}

#[activity]
async fn takes_unencodable(map: Unencodable) -> usize {
    map.len()
}

#[orchestration]
async fn meets_what_cannot_be_kept(ctx: OrchestrationContext, what: String) -> Result<usize, ActivityError> {
    match what.as_str() {
        "unencodable output" => returns_what_cannot_be_kept(&ctx).await.map(|map| map.len()),
        "unencodable argument" => takes_unencodable(&ctx, BTreeMap::from([(vec![1], 1)])).await,
        "long output" => returns_bytes(&ctx, 2_000).await.map(|text| text.len()),
        "long argument" => takes_text(&ctx, "x".repeat(2_000)).await,
        _ => returns_bytes(&ctx, 10).await.map(|text| text.len()),
    }
}

#[orchestration]
async fn returns_what_nobody_can_keep(ctx: OrchestrationContext, long: bool) -> Result<String, Unencodable> {
    ctx.timer(Duration::ZERO).await;
    if long { Ok("x".repeat(2_000)) } else { Err(BTreeMap::from([(vec![1], 1)])) }
}

#[tokio::test]
async fn what_cannot_be_kept_is_a_typed_error_of_the_call() {
    let runtime = Runtime::builder(MemoryProvider::new()).limits(payloads_of(1_000)).start().await.unwrap();
    let client = runtime.client();
    for (what, text) in [
        ("unencodable output", "key must be a string"),
        ("unencodable argument", "key must be a string"),
        ("long output", "the output of the activity has 2002 bytes; at most 1000 are kept"),
        ("long argument", "the arguments of `takes_text` have 2011 bytes; at most 1000 are kept"),
    ] {
        let handle = meets_what_cannot_be_kept(&client, what.into()).start().await.unwrap();
        let error = soon(handle.result()).await.unwrap_err();
        let typed =
            matches!(error, ResultError::Failed(ActivityError::Codec { .. } | ActivityError::Unavailable { .. }));
        assert!(typed && error.to_string().contains(text), "{what}: {error:?}");
    }
    assert_eq!(soon(meets_what_cannot_be_kept(&client, "".into()).start().await.unwrap().result()).await.unwrap(), 10);
    end(runtime).await;
}

#[tokio::test]
async fn an_orchestration_whose_result_cannot_be_kept_fails_with_the_reason() {
    let runtime = Runtime::builder(MemoryProvider::new()).limits(payloads_of(1_000)).start().await.unwrap();
    let client = runtime.client();
    let error = soon(returns_what_nobody_can_keep(&client, true).start().await.unwrap().result()).await.unwrap_err();
    assert!(matches!(&error, ResultError::Stopped { message } if message.contains("2002 bytes")), "{error:?}");
    let error = soon(returns_what_nobody_can_keep(&client, false).start().await.unwrap().result()).await.unwrap_err();
    let ResultError::Codec { message } = error else { panic!("{error:?}") };
    assert!(message.contains("the result cannot be stored") && message.contains("key must be a string"), "{message}");
    end(runtime).await;
}

#[orchestration]
async fn waits_for_nothing(ctx: OrchestrationContext) -> u32 {
    race(Vec::<durable_runtime::context::EventWait<u32>>::new()).await;
    ctx.random() as u32
}

#[tokio::test]
async fn a_wait_that_nothing_ends_fails_in_that_turn() {
    let runtime = in_memory().await;
    let error = soon(waits_for_nothing(&runtime.client()).start().await.unwrap().result()).await.unwrap_err();
    assert!(matches!(&error, ResultError::Stopped { message } if message.contains("no event will ever wake it")));
    end(runtime).await;
}
