//! What a body says of its progress, and what the next attempt finds of it.

use std::sync::Arc;

use durable_runtime::client::ResultError;
use durable_runtime::prelude::*;
use durable_runtime::testing::ManualClock;
use durable_runtime::{InstanceId, Limits, Provider};

use super::kit::{SOON, TestStore, each_store, end, gate, payloads_of, soon};

/// How long a lease lasts.
const LEASE: Duration = Duration::from_secs(30);

#[activity(retry(max_attempts = 3, initial = "1ms"))]
async fn imports_rows(ctx: ActivityContext, name: String) -> Result<(u32, Option<u32>), String> {
    let found = ctx.last_heartbeat::<u32>().unwrap();
    ctx.heartbeat(&(found.unwrap_or(0) + 10)).unwrap();
    gate(&name).pass().await;
    Ok((ctx.attempt(), found))
}

#[orchestration]
async fn imports(ctx: OrchestrationContext, name: String) -> Result<(u32, Option<u32>), ActivityError<String>> {
    imports_rows(&ctx, name).await
}

#[orchestration]
async fn gives_an_import_up(ctx: OrchestrationContext, name: String) -> u32 {
    select! {
        _ = imports_rows(&ctx, name) => 0,
        number = ctx.event_named::<u32>("enough") => number,
    }
}

/// Waits until so many keys of activities are kept beside the instance.
async fn kept(test: &TestStore, id: &str, count: usize) {
    let (instance, mut revision) = (InstanceId::new(id).unwrap(), 0);
    loop {
        let record = soon(test.store.wait_for_change(&instance, revision, SOON)).await.unwrap().unwrap();
        if record.metadata.keys().filter(|key| key.starts_with("activity ")).count() == count {
            return;
        }
        revision = record.revision;
    }
}

#[tokio::test]
async fn the_next_process_goes_on_where_the_last_word_was_written() {
    for test in each_store() {
        let name = test.named("imports");
        let runtime = test.runtime().keep_store_open().start().await.unwrap();
        imports(&runtime.client(), name.clone()).id("i").start().await.unwrap();
        gate(&name).reached().await;
        kept(&test, "i", 1).await;
        runtime.shutdown(Duration::ZERO).await; // as if it had died
        test.clock.advance(LEASE);

        let runtime = test.runtime().start().await.unwrap();
        gate(&name).reached().await;
        gate(&name).open();
        let handle = runtime.client().handle::<imports>("i").unwrap();
        assert_eq!(soon(handle.result()).await.unwrap(), (1, Some(10)), "the same attempt, begun anew");
        kept(&test, "i", 0).await;
        end(runtime).await;
    }
}

#[tokio::test]
async fn what_an_import_said_goes_when_nobody_wants_it() {
    for test in each_store() {
        let name = test.named("given up");
        let runtime = test.runtime().cancel_grace(Duration::ZERO).start().await.unwrap();
        let handle = gives_an_import_up(&runtime.client(), name.clone()).id("g").start().await.unwrap();
        gate(&name).reached().await;
        kept(&test, "g", 1).await;
        runtime.client().raise("g", "enough", &7).await.unwrap();
        assert_eq!(soon(handle.result()).await.unwrap(), 7);
        soon(kept(&test, "g", 0)).await;
        end(runtime).await;
    }
}

#[activity(retry(max_attempts = 9, initial = "1ms"))]
async fn never_survives(ctx: ActivityContext, name: String) -> Result<u32, String> {
    gate(&name).count();
    std::future::pending::<()>().await;
    Ok(ctx.attempt())
}

#[orchestration]
async fn calls_never_survives(ctx: OrchestrationContext, name: String) -> Result<u32, ActivityError<String>> {
    never_survives(&ctx, name).await
}

#[tokio::test]
async fn a_body_that_never_survives_is_given_up_in_the_end() {
    let mut limits = Limits::default();
    limits.deliveries_max = 2;
    for test in each_store() {
        let name = test.named("never survives");
        let builder = || test.runtime().keep_store_open().limits(limits);
        let runtime = builder().start().await.unwrap();
        calls_never_survives(&runtime.client(), name.clone()).id("n").start().await.unwrap();
        gate(&name).reached().await;
        runtime.shutdown(Duration::ZERO).await;
        for _ in 0..2 {
            test.clock.advance(LEASE);
            let runtime = builder().start().await.unwrap();
            gate(&name).reached().await;
            runtime.shutdown(Duration::ZERO).await;
        }
        test.clock.advance(LEASE);
        let runtime = builder().start().await.unwrap();
        let error = soon(runtime.client().handle::<calls_never_survives>("n").unwrap().result()).await.unwrap_err();
        let ResultError::Failed(ActivityError::Unavailable { message }) = error else { panic!("{error:?}") };
        assert!(message.contains("begun anew 2 times"), "{message}");
        assert_eq!(gate(&name).runs(), 3, "the fourth time its body did not run");
        assert_eq!(runtime.metrics().await.poisoned, 1);
        end(runtime).await;
    }
}

#[activity]
async fn says_too_much(ctx: ActivityContext, bytes: usize) -> Option<String> {
    ctx.heartbeat(&"x".repeat(bytes - 2)).err().map(|error| error.to_string())
}

#[orchestration]
async fn hears_too_much(ctx: OrchestrationContext, bytes: usize) -> Result<Option<String>, ActivityError> {
    says_too_much(&ctx, bytes).await
}

#[tokio::test]
async fn a_heartbeat_is_no_longer_than_a_payload() {
    let runtime = Runtime::builder(MemoryProvider::new()).limits(payloads_of(100)).start().await.unwrap();
    for (bytes, refused) in [(99, false), (100, false), (101, true)] {
        let error = soon(hears_too_much(&runtime.client(), bytes).start().await.unwrap().result()).await.unwrap();
        assert_eq!(error.is_some(), refused, "{error:?}");
        assert!(error.is_none_or(|error| error.contains("101 bytes; at most 100 are kept")));
    }
    end(runtime).await;
}

#[tokio::test]
async fn a_store_that_is_opened_again_has_the_last_word_too() {
    let (folder, clock) = (tempfile::tempdir().unwrap(), ManualClock::new());
    let open = || SledProvider::options().clock(clock.clone()).open(folder.path()).unwrap();
    let store: Arc<dyn Provider> = Arc::new(open());
    let test = TestStore::of(Arc::clone(&store), clock.clone());
    let runtime = Runtime::builder(store).start().await.unwrap();
    imports(&runtime.client(), "reopened".to_owned()).id("r").start().await.unwrap();
    gate("reopened").reached().await;
    kept(&test, "r", 1).await;
    runtime.shutdown(Duration::ZERO).await; // it closes the store too
    drop(test);
    let runtime = Runtime::builder(open()).start().await.unwrap();
    gate("reopened").reached().await;
    gate("reopened").open();
    let handle = runtime.client().handle::<imports>("r").unwrap();
    assert_eq!(soon(handle.result()).await.unwrap(), (1, Some(10)));
    end(runtime).await;
}
