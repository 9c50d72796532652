//! How long an activity may wait, and how long it may take in all, by the clock of the store.

use durable_runtime::client::ResultError;
use durable_runtime::history::{Event, EventKind};
use durable_runtime::prelude::*;

use super::kit::{each_store, end, gate, in_memory, soon};

#[activity(tag = "nobody serves this", schedule_to_start = "5s")]
async fn unserved() -> u32 {
    1
}

#[orchestration]
async fn calls_unserved(ctx: OrchestrationContext, other_limit: bool) -> Result<u32, ActivityError> {
    match other_limit {
        true => unserved(&ctx).schedule_to_start(Duration::MAX).schedule_to_close(Duration::from_secs(7)).await,
        false => unserved(&ctx).await,
    }
}

fn timed_out(error: ResultError<ActivityError>) -> String {
    match error {
        ResultError::Failed(ActivityError::TimedOut { message }) => message,
        other => panic!("{other}"),
    }
}

#[tokio::test]
async fn a_tag_that_nobody_serves_is_an_error_and_no_silence() {
    for test in each_store() {
        let runtime = test.runtime().start().await.unwrap();
        for (other_limit, seconds, text) in [(false, 5, "5s (schedule_to_start)"), (true, 7, "7s (schedule_to_close)")]
        {
            let handle = calls_unserved(&runtime.client(), other_limit).start().await.unwrap();
            test.activities_are(1, 0).await;
            test.clock.advance(Duration::from_millis(seconds * 1_000 - 1));
            assert_eq!(handle.status().await.unwrap().status, Status::Running);
            test.clock.advance(Duration::from_millis(1));
            let message = timed_out(soon(handle.result()).await.unwrap_err());
            assert!(message.contains(text), "{message}");
            assert!(test.is_quiet().await, "nothing is left of it");
        }
        end(runtime).await;
    }
}

#[activity]
async fn passes(ctx: ActivityContext, name: String) -> u32 {
    gate(&name).pass().await;
    ctx.attempt()
}

#[orchestration]
async fn starts_in_time(ctx: OrchestrationContext, name: String) -> Result<u32, ActivityError> {
    passes(&ctx, name).schedule_to_start(Duration::from_secs(2)).schedule_to_close(Duration::from_secs(20)).await
}

#[tokio::test]
async fn what_was_begun_in_time_may_take_longer() {
    for test in each_store() {
        let runtime = test.runtime().start().await.unwrap();
        let name = test.named("in time");
        let handle = starts_in_time(&runtime.client(), name.clone()).start().await.unwrap();
        gate(&name).reached().await;
        assert_eq!(test.store.stats().await.unwrap().turn_messages, 1, "one limit is left");
        test.clock.advance(Duration::from_secs(3));
        gate(&name).open();
        assert_eq!(soon(handle.result()).await.unwrap(), 1);
        assert!(test.is_quiet().await, "no limit outlives what it limits");
        end(runtime).await;
    }
}

#[activity(schedule_to_close = "20s", retry(max_attempts = 9, initial = "1s", backoff = "fixed"))]
async fn hears_of_its_end(ctx: ActivityContext, name: String) -> Result<u32, String> {
    gate(&name).count();
    if ctx.attempt() == 1 {
        return Err("the first time".to_owned());
    }
    ctx.cancelled().await;
    gate(name + " heard").count();
    Ok(ctx.attempt())
}

#[orchestration]
async fn waits_for_its_end(ctx: OrchestrationContext, name: String) -> Result<u32, ActivityError<String>> {
    hears_of_its_end(&ctx, name).await
}

#[tokio::test]
async fn a_running_body_hears_that_its_time_is_over() {
    for test in each_store() {
        let runtime = test.runtime().start().await.unwrap();
        let name = test.named("its end");
        let handle = waits_for_its_end(&runtime.client(), name.clone()).start().await.unwrap();
        gate(&name).reached().await;
        test.activities_are(1, 0).await;
        test.clock.advance(Duration::from_secs(1));
        gate(&name).reached().await;
        test.clock.advance(Duration::from_secs(19));
        let error = soon(handle.result()).await.unwrap_err();
        assert!(matches!(&error, ResultError::Failed(ActivityError::TimedOut { message }) if message.contains("20s")));
        gate(name + " heard").reached().await;
        let counts = |event: &Event| match &event.kind {
            EventKind::ActivityFailed { attempts, failed_attempts, .. } => Some((*attempts, failed_attempts.len())),
            _ => None,
        };
        let history = handle.history().await.unwrap();
        assert_eq!(history.iter().filter_map(counts).collect::<Vec<_>>(), [(2, 1)]);
        end(runtime).await;
    }
}

#[activity]
async fn always_fails(name: String) -> Result<u32, String> {
    gate(name).count();
    Err("no".to_owned())
}

#[orchestration]
async fn fails_in_time(ctx: OrchestrationContext, name: String) -> Result<u32, ActivityError<String>> {
    let policy = RetryPolicy::attempts(9).initial(Duration::from_secs(60));
    always_fails(&ctx, name).retry(policy).schedule_to_close(Duration::from_secs(60)).await
}

#[tokio::test]
async fn an_attempt_that_would_come_too_late_is_not_waited_for() {
    for test in each_store() {
        let runtime = test.runtime().start().await.unwrap();
        let name = test.named("too late");
        let handle = fails_in_time(&runtime.client(), name.clone()).start().await.unwrap();
        // No time passes at all: the error comes at once, and says more than that time was up.
        let error = soon(handle.result()).await.unwrap_err();
        assert!(matches!(error, ResultError::Failed(ActivityError::Failed(text)) if text == "no"));
        assert_eq!(gate(name).runs(), 1);
        assert!(test.is_quiet().await);
        end(runtime).await;
    }
}

#[orchestration]
async fn loses_what_is_limited(ctx: OrchestrationContext, name: String) -> u32 {
    let both = |call: durable_runtime::context::ActivityCall<passes>| {
        call.schedule_to_start(Duration::from_secs(5)).schedule_to_close(Duration::from_secs(6))
    };
    // Asked for and given up in one turn, then in two.
    select! {
        _ = both(passes(&ctx, name.clone())) => {},
        () = ctx.timer(Duration::ZERO) => {},
    }
    select! {
        _ = both(passes(&ctx, name).tag("nobody serves this")) => {},
        _ = ctx.event_named::<u32>("enough") => {},
    }
    7
}

#[tokio::test]
async fn what_lost_a_race_is_never_late() {
    for test in each_store() {
        let runtime = test.runtime().start().await.unwrap();
        let client = runtime.client();
        let name = test.named("lost");
        let handle = loses_what_is_limited(&client, name.clone()).id("lost").start().await.unwrap();
        client.raise("lost", "enough", &1).await.unwrap();
        assert_eq!(soon(handle.result()).await.unwrap(), 7);
        assert_eq!(test.store.stats().await.unwrap().turn_messages, 0);
        gate(name).open_for_all();
        end(runtime).await;
    }
}

#[orchestration]
async fn asks_for_the_impossible(ctx: OrchestrationContext, which: u32) -> Result<u32, ActivityError> {
    let call = passes(&ctx, "never".into());
    match which {
        0 => call.timeout(Duration::ZERO).await,
        1 => call.heartbeat_timeout(Duration::ZERO).await,
        2 => call.schedule_to_start(Duration::ZERO).await,
        3 => call.schedule_to_close(Duration::ZERO).await,
        4 => call.tag("").await,
        _ => call.tag("x".repeat(513)).await,
    }
}

#[tokio::test]
async fn what_cannot_be_is_a_typed_error_of_the_call() {
    let runtime = in_memory().await;
    let texts = [
        "a `timeout` of zero",
        "a `heartbeat_timeout`",
        "a `schedule_to_start`",
        "a `schedule_to_close`",
        "tag",
        "513",
    ];
    for (which, text) in texts.into_iter().enumerate() {
        let handle = asks_for_the_impossible(&runtime.client(), which as u32).start().await.unwrap();
        let error = soon(handle.result()).await.unwrap_err();
        assert!(matches!(&error, ResultError::Failed(ActivityError::Unavailable { .. })), "{error:?}");
        assert!(error.to_string().contains(text), "{error}");
    }
    assert_eq!(gate("never").runs(), 0);
    end(runtime).await;
}

#[orchestration]
async fn asks_for_ever(ctx: OrchestrationContext, name: String) -> Result<u32, ActivityError> {
    let policy = RetryPolicy::attempts(u32::MAX).initial(Duration::MAX).max(Duration::MAX).total(Duration::MAX);
    let call = passes(&ctx, name).timeout(Duration::MAX).heartbeat_timeout(Duration::MAX).retry(policy);
    call.schedule_to_start(Duration::MAX).schedule_to_close(Duration::MAX).await
}

#[tokio::test]
async fn the_longest_limits_are_limits_like_others() {
    for test in each_store() {
        let runtime = test.runtime().start().await.unwrap();
        let name = test.named("for ever");
        gate(&name).open();
        assert_eq!(soon(asks_for_ever(&runtime.client(), name).start().await.unwrap().result()).await.unwrap(), 1);
        assert!(test.is_quiet().await);
        end(runtime).await;
    }
}
