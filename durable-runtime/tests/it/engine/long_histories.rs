//! How long a history may become: it ends by name at its limit, and the code is told long before.

use durable_runtime::history::EventKind;
use durable_runtime::prelude::*;
use durable_runtime::testing::ManualClock;
use durable_runtime::{ExecutionId, Limits};

use super::kit::{end, soon};

#[activity]
async fn page_of(bytes: usize) -> String {
    "x".repeat(bytes)
}

#[orchestration]
async fn reads_pages(ctx: OrchestrationContext, pages: u32, bytes: usize) -> Result<u32, ActivityError> {
    for _ in 0..pages {
        page_of(&ctx, bytes).await?;
    }
    Ok(pages)
}

#[orchestration]
async fn counts_in_short_histories(ctx: OrchestrationContext, from: u32, to: u32) -> u32 {
    for number in from..to {
        ctx.timer(Duration::from_millis(1)).await;
        if ctx.is_continue_as_new_suggested() {
            return counts_in_short_histories(&ctx, number + 1, to).continue_as_new().await;
        }
    }
    to
}

#[tokio::test]
async fn a_history_of_too_many_bytes_ends_its_execution_and_says_so() {
    let mut limits = Limits::default();
    limits.history_bytes_max = 10_000;
    let runtime = Runtime::builder(MemoryProvider::new()).limits(limits).start().await.unwrap();
    let client = runtime.client();
    let fits = reads_pages(&client, 8, 1_000).id("fits").start().await.unwrap();
    assert_eq!(soon(fits.result()).await.unwrap(), 8);
    let too_long = reads_pages(&client, 20, 1_000).id("too long").start().await.unwrap();
    let error = soon(too_long.result()).await.unwrap_err().to_string();
    assert!(error.contains("at most 10000 are kept") && error.contains("continue as new"), "{error}");
    end(runtime).await;
}

#[tokio::test]
async fn the_code_is_told_at_a_tenth_of_what_a_history_may_have() {
    let clock = ManualClock::new();
    let mut limits = Limits::default();
    limits.history_events_max = 100;
    let store = MemoryProvider::with_clock(clock.clone());
    let runtime = Runtime::builder(store).limits(limits).live_bytes_max(0).start().await.unwrap();
    let client = runtime.client();
    let handle = counts_in_short_histories(&client, 0, 20).id("short").start().await.unwrap();
    let ticks = async {
        loop {
            clock.advance(Duration::from_millis(1));
            tokio::task::yield_now().await;
        }
    };
    let sum = tokio::select! {
        sum = soon(handle.result()) => sum.unwrap(),
        () = ticks => unreachable!(),
    };
    assert_eq!(sum, 20);
    let executions = handle.status().await.unwrap().execution_id.0;
    for execution in 1..=executions {
        let history = client.history("short", ExecutionId(execution)).await.unwrap();
        let goes_on = matches!(history.last().unwrap().kind, EventKind::ContinuedAsNew { .. });
        // Ten events, and what the code does when it is woken by the tenth or eleventh.
        assert!(history.len() <= 12 && goes_on == (execution < executions), "{execution}: {} events", history.len());
    }
    assert!(executions > 2, "{executions}");
    end(runtime).await;
}

#[tokio::test]
async fn executions_that_take_too_many_bytes_leave_memory_and_go_on_all_the_same() {
    for (bytes_max, misses) in [(0, 6), (usize::MAX, 0)] {
        let builder = Runtime::builder(MemoryProvider::new()).shards(1).double_check(false);
        let runtime = builder.live_bytes_max(bytes_max).start().await.unwrap();
        let handle = reads_pages(&runtime.client(), 6, 1_000).id("pages").start().await.unwrap();
        assert_eq!(soon(handle.result()).await.unwrap(), 6);
        assert_eq!(runtime.metrics().await.live_misses, misses, "{bytes_max}");
        end(runtime).await;
    }
}
