//! What an instance does before its end when it is cancelled, runs out of time or fails: on memory and sled, and over
//! restarts.

use durable_runtime::client::ResultError;
use durable_runtime::history::validate;
use durable_runtime::prelude::*;
use durable_runtime::testing::ManualClock;

use super::kit::{SOON, each_store, end, gate, soon, status_when};

#[activity]
async fn does(name: String) -> Result<String, String> {
    gate(name.clone()).count();
    if name.starts_with("bad") { Err(name) } else { Ok(name) }
}

#[activity]
async fn undoes(name: String) {
    gate(format!("undo {name}")).pass().await;
}

#[orchestration]
async fn travels(ctx: OrchestrationContext, name: String, last: String) -> Result<String, ActivityError<String>> {
    let saga = ctx.saga();
    ctx.on_cancel(undoes(&ctx, format!("{name} seat")));
    let flight = does(&ctx, format!("{name} flight")).await?;
    saga.undo_with(undoes(&ctx, flight));
    if last == "wait" {
        return Ok(ctx.event_named::<String>("go").await);
    }
    does(&ctx, last).await
}

#[tokio::test]
async fn a_cancelled_instance_undoes_what_it_did_and_is_cancelled_then() {
    for test in each_store() {
        let runtime = test.runtime().start().await.unwrap();
        let name = test.named("cancelled");
        let handle = travels(&runtime.client(), name.clone(), "wait".into()).start().await.unwrap();
        gate(format!("{name} flight")).reached().await;
        // The event is waited for when the flight is known.
        test.activities_are(0, 0).await;
        handle.cancel("ill").await.unwrap();
        gate(format!("undo {name} flight")).reached().await;
        assert_eq!(handle.status().await.unwrap().status, Status::Running, "it still cleans up");
        handle.cancel("still ill").await.unwrap();
        gate(format!("undo {name} flight")).open();
        gate(format!("undo {name} seat")).reached().await;
        gate(format!("undo {name} seat")).open();
        let error = soon(handle.result()).await.unwrap_err();
        assert!(matches!(&error, ResultError::Cancelled { reason } if reason == "ill"), "{error}");
        assert_eq!(handle.status().await.unwrap().status, Status::Cancelled);
        assert_eq!(validate(&handle.history().await.unwrap()), Ok(()));
        assert!(test.is_quiet().await);
        end(runtime).await;
    }
}

#[tokio::test]
async fn a_failed_instance_undoes_what_it_did_and_fails_then() {
    for test in each_store() {
        let runtime = test.runtime().start().await.unwrap();
        let (name, last) = (test.named("failed"), test.named("bad hotel"));
        gate(format!("undo {name} flight")).open();
        let handle = travels(&runtime.client(), name.clone(), last.clone()).start().await.unwrap();
        let error = soon(handle.result()).await.unwrap_err();
        assert!(matches!(&error, ResultError::Failed(ActivityError::Failed(text)) if *text == last), "{error}");
        assert_eq!(gate(format!("undo {name} flight")).runs(), 1);
        assert_eq!(gate(format!("undo {name} seat")).runs(), 0, "that was for a cancellation");
        end(runtime).await;
    }
}

#[tokio::test]
async fn a_terminated_instance_undoes_nothing() {
    for test in each_store() {
        let runtime = test.runtime().start().await.unwrap();
        let name = test.named("terminated");
        let handle = travels(&runtime.client(), name.clone(), "wait".into()).start().await.unwrap();
        gate(format!("{name} flight")).reached().await;
        test.activities_are(0, 0).await;
        handle.terminate("now").await.unwrap();
        assert!(matches!(soon(handle.result()).await, Err(ResultError::Terminated { .. })));
        assert!(test.is_quiet().await);
        assert_eq!(gate(format!("undo {name} flight")).runs(), 0);
        end(runtime).await;
    }
}

#[tokio::test]
async fn cleanups_go_on_after_a_restart_where_they_were() {
    let folder = tempfile::tempdir().unwrap();
    let open = || async {
        Runtime::builder(SledProvider::open(folder.path()).unwrap()).double_check(true).start().await.unwrap()
    };
    let runtime = open().await;
    let name = "restarted in its cleanup";
    travels(&runtime.client(), name.into(), "wait".into()).id(name).start().await.unwrap();
    gate(format!("{name} flight")).reached().await;
    runtime.shutdown(SOON).await;
    let runtime = open().await;
    runtime.client().cancel(name, "over").await.unwrap();
    gate(format!("undo {name} flight")).reached().await;
    runtime.shutdown(Duration::ZERO).await; // in the middle of the first cleanup
    gate(format!("undo {name} flight")).open_for_all();
    let runtime = open().await;
    gate(format!("undo {name} seat")).reached().await;
    runtime.shutdown(Duration::ZERO).await; // and of the second
    gate(format!("undo {name} seat")).open_for_all();
    let runtime = open().await;
    let handle = runtime.client().handle::<travels>(name).unwrap();
    assert!(matches!(soon(handle.result()).await, Err(ResultError::Cancelled { .. })));
    assert_eq!(validate(&handle.history().await.unwrap()), Ok(()));
    end(runtime).await;
}

#[orchestration(timeout = "1h")]
async fn has_an_hour(ctx: OrchestrationContext, name: String, generations: u32) -> u32 {
    ctx.on_cancel(undoes(&ctx, name.clone()));
    let value = ctx.event_named::<u32>("go").await;
    if generations > 1 { has_an_hour(&ctx, name, generations - 1).continue_as_new().await } else { value }
}

#[orchestration]
async fn waits_for_an_hour(ctx: OrchestrationContext, name: String) -> Result<u32, ChildError> {
    has_an_hour(&ctx, name, 1).id("child with an hour").await
}

const HOUR: Duration = Duration::from_secs(3_600);

fn almost(clock: &ManualClock) {
    clock.advance(HOUR - Duration::from_millis(1));
}

#[tokio::test]
async fn an_instance_that_takes_too_long_cleans_up_and_has_timed_out() {
    for test in each_store() {
        let runtime = test.runtime().start().await.unwrap();
        let (client, name) = (runtime.client(), test.named("slow"));
        let handle = has_an_hour(&client, name.clone(), 1).start().await.unwrap();
        let status = handle.status().await.unwrap();
        assert_eq!(status.deadline.map(|deadline| deadline.saturating_since(status.started_at)), Some(HOUR));
        almost(&test.clock);
        assert_eq!(handle.status().await.unwrap().status, Status::Running);
        test.clock.advance(Duration::from_millis(1));
        gate(format!("undo {name}")).reached().await;
        gate(format!("undo {name}")).open();
        let error = soon(handle.result()).await.unwrap_err();
        assert!(matches!(&error, ResultError::OutOfTime { message } if message.contains("1h")), "{error}");
        let status = handle.status().await.unwrap();
        assert_eq!((status.status, status.status.is_closed()), (Status::TimedOut, true));
        assert_eq!(validate(&handle.history().await.unwrap()), Ok(()));
        end(runtime).await;
    }
}

#[tokio::test]
async fn a_parent_hears_that_its_child_ran_out_of_time() {
    for test in each_store() {
        let runtime = test.runtime().start().await.unwrap();
        let name = test.named("slow child");
        gate(format!("undo {name}")).open();
        let handle = waits_for_an_hour(&runtime.client(), name).start().await.unwrap();
        // Its hour begins with its first turn.
        status_when(&test.store, "child with an hour", |status| status.status == Status::Running).await;
        test.clock.advance(HOUR);
        let error = soon(handle.result()).await.unwrap_err();
        assert!(matches!(&error, ResultError::Failed(ChildError::TimedOut { .. })), "{error}");
        end(runtime).await;
    }
}

#[tokio::test]
async fn each_execution_has_its_own_hour_and_an_end_in_time_leaves_no_alarm() {
    for test in each_store() {
        let runtime = test.runtime().start().await.unwrap();
        let handle = has_an_hour(&runtime.client(), test.named("in time"), 2).start().await.unwrap();
        almost(&test.clock);
        runtime.client().raise(handle.id(), "go", &1).await.unwrap();
        test.clock.advance(Duration::from_millis(1)); // the first execution would be late by now
        test.clock.advance(HOUR - Duration::from_millis(2));
        assert_eq!(handle.status().await.unwrap().status, Status::Running);
        runtime.client().raise(handle.id(), "go", &7).await.unwrap();
        assert_eq!(soon(handle.result()).await.unwrap(), 7);
        assert!(test.is_quiet().await, "nothing waits for its end");
        end(runtime).await;
    }
}
