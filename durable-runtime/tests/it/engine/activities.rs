//! Attempts: how often, how long, and what the next one knows of the one before.

use durable_runtime::Provider as _;
use durable_runtime::client::ResultError;
use durable_runtime::history::EventKind;
use durable_runtime::prelude::*;

use super::kit::{end, gate, in_memory, soon};

#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, thiserror::Error)]
#[error("attempt {0} failed")]
struct Flaky(u32);

#[activity(retry(max_attempts = 3, initial = "1ms", factor = 1.0, max = "1ms"))]
async fn flaky(ctx: ActivityContext, key: String, good_from: u32) -> Result<u32, Flaky> {
    gate(key).count();
    if ctx.attempt() >= good_from { Ok(ctx.attempt()) } else { Err(Flaky(ctx.attempt())) }
}

#[orchestration]
async fn calls_flaky(ctx: OrchestrationContext, key: String, good_from: u32) -> Result<u32, ActivityError<Flaky>> {
    flaky(&ctx, key, good_from).await
}

#[orchestration]
async fn calls_flaky_with(ctx: OrchestrationContext, key: String, attempts: u32) -> Result<u32, ActivityError<Flaky>> {
    flaky(&ctx, key, 100).retry(RetryPolicy::attempts(attempts).initial(Duration::from_millis(1))).await
}

fn attempts_of(history: &[durable_runtime::history::Event]) -> Vec<u32> {
    let attempts = |event: &durable_runtime::history::Event| match event.kind {
        EventKind::ActivityCompleted { attempts, .. } | EventKind::ActivityFailed { attempts, .. } => Some(attempts),
        _ => None,
    };
    history.iter().filter_map(attempts).collect()
}

#[tokio::test]
async fn it_is_tried_until_it_succeeds_and_no_more() {
    let runtime = in_memory().await;
    let handle = calls_flaky(&runtime.client(), "flaky until 3".into(), 3).start().await.unwrap();
    assert_eq!(soon(handle.result()).await.unwrap(), 3);
    assert_eq!(gate("flaky until 3").runs(), 3);
    assert_eq!(attempts_of(&handle.history().await.unwrap()), [3]);
    end(runtime).await;
}

#[tokio::test]
async fn the_last_error_is_what_the_caller_gets() {
    let runtime = in_memory().await;
    let handle = calls_flaky(&runtime.client(), "flaky for ever".into(), 100).start().await.unwrap();
    let error = soon(handle.result()).await.unwrap_err();
    assert!(matches!(error, ResultError::Failed(ActivityError::Failed(Flaky(3)))), "{error}");
    assert_eq!(gate("flaky for ever").runs(), 3);
    assert_eq!(attempts_of(&handle.history().await.unwrap()), [3]);
    end(runtime).await;
}

#[tokio::test]
async fn a_policy_of_the_call_overrides_that_of_the_attribute() {
    let runtime = in_memory().await;
    for attempts in [1, 5] {
        let key = format!("flaky with {attempts}");
        let handle = calls_flaky_with(&runtime.client(), key.clone(), attempts).start().await.unwrap();
        let error = soon(handle.result()).await.unwrap_err();
        assert!(
            matches!(error, ResultError::Failed(ActivityError::Failed(Flaky(last))) if last == attempts),
            "{error}"
        );
        assert_eq!(gate(key).runs(), attempts);
    }
    end(runtime).await;
}

#[tokio::test]
async fn retries_wait_by_the_clock_of_the_store() {
    let clock = durable_runtime::testing::ManualClock::new();
    let store = MemoryProvider::with_clock(clock.clone());
    let runtime = Runtime::builder(store.clone()).start().await.unwrap();
    let handle = patient_caller(&runtime.client()).start().await.unwrap();
    gate("patient").reached().await;
    // Nothing says when the attempt is back in the queue, so the queue is asked.
    while store.stats().await.unwrap().activities_leased > 0 {
        tokio::task::yield_now().await;
    }
    assert_eq!(gate("patient").runs(), 1);
    // A moment more than the hour: it counts from the end of the attempt, which took a while by the clock on the wall.
    clock.advance(Duration::from_secs(3_600) + super::kit::SOON);
    assert_eq!(soon(handle.result()).await.unwrap(), 2);
    end(runtime).await;
}

#[activity(retry(max_attempts = 2, initial = "1h"))]
async fn patient(ctx: ActivityContext) -> Result<u32, Flaky> {
    gate("patient").count();
    if ctx.attempt() == 2 { Ok(2) } else { Err(Flaky(ctx.attempt())) }
}

#[orchestration]
async fn patient_caller(ctx: OrchestrationContext) -> Result<u32, ActivityError<Flaky>> {
    patient(&ctx).await
}

#[activity(timeout = "20ms", retry(max_attempts = 2, initial = "1ms"))]
async fn never_ends() -> u32 {
    gate("never ends").count();
    std::future::pending().await
}

#[orchestration]
async fn waits_for_never(ctx: OrchestrationContext) -> Result<u32, ActivityError> {
    never_ends(&ctx).await
}

#[orchestration]
async fn waits_less_for_never(ctx: OrchestrationContext) -> Result<u32, ActivityError> {
    never_ends(&ctx).timeout(Duration::from_millis(5)).retry(RetryPolicy::NONE).await
}

#[tokio::test]
async fn an_attempt_that_takes_too_long_is_given_up_and_tried_again() {
    let runtime = in_memory().await;
    let error = soon(waits_for_never(&runtime.client()).start().await.unwrap().result()).await.unwrap_err();
    assert!(matches!(&error, ResultError::Failed(ActivityError::TimedOut { message }) if message.contains("20ms")));
    assert_eq!(gate("never ends").runs(), 2);
    let error = soon(waits_less_for_never(&runtime.client()).start().await.unwrap().result()).await.unwrap_err();
    assert!(matches!(&error, ResultError::Failed(ActivityError::TimedOut { message }) if message.contains("5ms")));
    assert_eq!(gate("never ends").runs(), 3);
    end(runtime).await;
}

#[activity(heartbeat = "30ms", retry(max_attempts = 2, initial = "1ms"))]
async fn falls_silent(ctx: ActivityContext) -> Option<u32> {
    if ctx.attempt() == 1 {
        assert_eq!(ctx.last_heartbeat::<u32>(), Ok(None));
        ctx.heartbeat(&41).unwrap();
        std::future::pending::<()>().await;
    }
    ctx.last_heartbeat().unwrap()
}

#[orchestration]
async fn waits_for_the_silent(ctx: OrchestrationContext) -> Result<Option<u32>, ActivityError> {
    falls_silent(&ctx).await
}

#[orchestration]
async fn gives_up_the_silent(ctx: OrchestrationContext) -> Result<Option<u32>, ActivityError> {
    falls_silent(&ctx).heartbeat_timeout(Duration::from_millis(3)).retry(RetryPolicy::NONE).await
}

#[tokio::test]
async fn a_silent_attempt_is_given_up_and_the_next_goes_on_where_it_was() {
    let runtime = in_memory().await;
    let handle = waits_for_the_silent(&runtime.client()).start().await.unwrap();
    assert_eq!(soon(handle.result()).await.unwrap(), Some(41));
    let error = soon(gives_up_the_silent(&runtime.client()).start().await.unwrap().result()).await.unwrap_err();
    assert!(matches!(&error, ResultError::Failed(ActivityError::TimedOut { message }) if message.contains("3ms")));
    end(runtime).await;
}

#[activity(retry(max_attempts = 2, initial = "1ms"))]
async fn tells_its_key(ctx: ActivityContext) -> Result<(String, bool), Flaky> {
    if ctx.attempt() == 1 {
        gate(ctx.idempotency_key()).count();
        return Err(Flaky(1));
    }
    Ok((ctx.idempotency_key(), ctx.deadline().is_some()))
}

#[orchestration]
async fn collects_keys(ctx: OrchestrationContext) -> Vec<(String, bool)> {
    let (first, second) = join!(tells_its_key(&ctx), tells_its_key(&ctx).timeout(Duration::from_secs(60)));
    [first, second].into_iter().flatten().collect()
}

#[tokio::test]
async fn the_key_of_a_call_is_the_same_in_each_attempt_and_in_no_other_call() {
    let runtime = in_memory().await;
    let handle = collects_keys(&runtime.client()).id("keys").start().await.unwrap();
    let keys = soon(handle.result()).await.unwrap();
    assert_eq!(keys, [("keys/1/1".to_owned(), false), ("keys/1/2".to_owned(), true)]);
    assert_eq!((gate("keys/1/1").runs(), gate("keys/1/2").runs()), (1, 1));
    end(runtime).await;
}

#[activity]
fn blocks(name: String) -> String {
    // A body that blocks its thread keeps neither the engine nor other bodies from going on.
    let (gate, runtime) = (gate(name.clone()), tokio::runtime::Handle::current());
    runtime.block_on(gate.pass());
    name
}

#[orchestration]
async fn waits_for_blocked(ctx: OrchestrationContext, name: String) -> Result<String, ActivityError> {
    blocks(&ctx, name).await
}

#[tokio::test]
async fn blocking_bodies_run_side_by_side_on_one_thread() {
    let runtime = in_memory().await;
    let mut handles = Vec::new();
    for name in ["blocked 1", "blocked 2", "blocked 3"] {
        handles.push(waits_for_blocked(&runtime.client(), name.into()).start().await.unwrap());
    }
    for name in ["blocked 3", "blocked 1", "blocked 2"] {
        gate(name).reached().await;
    }
    for name in ["blocked 1", "blocked 2", "blocked 3"] {
        gate(name).open();
    }
    for handle in handles {
        soon(handle.result()).await.unwrap();
    }
    end(runtime).await;
}
