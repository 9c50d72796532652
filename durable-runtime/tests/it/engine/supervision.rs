//! What the engine notices by itself: code that is not deterministic, turns that take too long.

use std::collections::HashMap;
use std::sync::atomic::{AtomicBool, Ordering};
use std::time::Instant;

use durable_runtime::client::ResultError;
use durable_runtime::prelude::*;

/// Looked up through a function, so that no rule of the macro sees the table iterated.
fn in_the_order_of_a_hash_table(count: u32) -> Vec<u32> {
    (0..count).map(|number| (number, ())).collect::<HashMap<_, _>>().into_keys().collect()
}

#[activity]
async fn supervised_step(number: u32) -> u32 {
    number
}

#[orchestration]
async fn supervised_leak(ctx: OrchestrationContext, count: u32) -> Result<u32, ActivityError> {
    // All at once, so that the whole order is compared in one turn.
    let numbers = in_the_order_of_a_hash_table(count);
    let steps = try_join_all(numbers.into_iter().map(|number| supervised_step(&ctx, number))).await?;
    Ok(steps.into_iter().sum())
}

#[orchestration]
async fn supervised_sum(ctx: OrchestrationContext, count: u32) -> Result<u32, ActivityError> {
    let sums = try_join_all((0..count).map(|number| supervised_step(&ctx, number))).await?;
    ctx.timer(Duration::from_millis(1)).await;
    Ok(sums.into_iter().sum())
}

/// Waits until the instance says why it is suspended.
async fn report(client: &Client, id: &str) -> String {
    loop {
        if let Ok(status) = client.status(id).await
            && let Some(report) = status.suspended
        {
            return report;
        }
        tokio::task::yield_now().await;
    }
}

#[tokio::test]
async fn a_leak_of_hash_order_is_found_in_the_turn_that_has_it() {
    let runtime = Runtime::builder(MemoryProvider::new()).double_check(true).start().await.unwrap();
    let client = runtime.client();
    let handle = supervised_leak(&client, 64).id("leak").start().await.unwrap();
    let report = report(&client, "leak").await;
    assert!(report.contains("the code is not deterministic: it was run twice"), "{report}");
    assert!(
        report.contains("call to activity `supervised_step` (durable-runtime/tests/it/engine/supervision.rs:"),
        "{report}"
    );
    assert_eq!(handle.history().await.unwrap(), Vec::new(), "nothing of it was kept");
    assert_eq!(handle.status().await.unwrap().status, Status::Pending, "but the start was");
    handle.terminate("found").await.unwrap();
    assert!(matches!(handle.result().await, Err(ResultError::Terminated { .. })));
    runtime.shutdown(Duration::from_secs(5)).await;
}

#[tokio::test]
async fn without_the_double_check_the_leak_runs() {
    let runtime = Runtime::builder(MemoryProvider::new()).double_check(false).start().await.unwrap();
    let handle = supervised_leak(&runtime.client(), 16).start().await.unwrap();
    assert_eq!(handle.result().await.unwrap(), 120);
    runtime.shutdown(Duration::from_secs(5)).await;
}

#[tokio::test]
async fn deterministic_code_passes_the_double_check_even_when_it_was_evicted() {
    let builder = Runtime::builder(MemoryProvider::new()).double_check(true).live_executions_max(1);
    let runtime = builder.start().await.unwrap();
    let client = runtime.client();
    let mut handles = Vec::new();
    for _ in 0..20 {
        handles.push(supervised_sum(&client, 10).start().await.unwrap());
    }
    for handle in handles {
        assert_eq!(handle.result().await.unwrap(), 45);
    }
    runtime.shutdown(Duration::from_secs(5)).await;
}

static SLOW: AtomicBool = AtomicBool::new(true);

/// Keeps its thread busy for as long as the switch says, and in any case for longer than the turn may take.
#[allow_nondeterminism(wall_clock, reason = "it only takes its time")]
fn brood() {
    let since = Instant::now();
    let at_least = Duration::from_millis(50);
    while since.elapsed() < at_least || (SLOW.load(Ordering::Relaxed) && since.elapsed() < Duration::from_secs(60)) {
        std::hint::spin_loop();
    }
}

#[orchestration]
async fn supervised_brooding(ctx: OrchestrationContext) -> String {
    brood();
    ctx.instance_id().to_string()
}

#[tokio::test]
async fn a_turn_that_takes_too_long_is_reported_while_it_runs_and_not_kept() {
    let builder = Runtime::builder(MemoryProvider::new()).double_check(false).shards(1);
    let runtime = builder.turn_budget(Duration::from_millis(10)).start().await.unwrap();
    let client = runtime.client();
    let start = tokio::spawn(supervised_brooding(&client).id("slow").start());
    let report_of = |client: Client| async move {
        loop {
            if let Some(report) = client.suspended("slow").unwrap() {
                return report;
            }
            tokio::task::yield_now().await;
        }
    };
    let report = report_of(client.clone()).await;
    assert!(report.contains("a turn ran for longer than 10ms"), "{report}");
    SLOW.store(false, Ordering::Relaxed);
    let handle = start.await.unwrap().unwrap();
    let status = handle.status().await.unwrap();
    assert_eq!((status.status, status.suspended.is_some()), (Status::Pending, true));
    runtime.shutdown(Duration::from_secs(5)).await;
}
