//! Continue-as-new: nothing is lost between executions, and nothing leaks into the next (I25, I27).

use durable_runtime::ExecutionId;
use durable_runtime::history::{EventKind, validate};
use durable_runtime::prelude::*;

use super::kit::{end, gate, in_memory, soon};

#[derive(Debug, Event, Serialize, Deserialize)]
struct Item(u32);

#[orchestration]
async fn one_item_a_generation(ctx: OrchestrationContext, left: u32, seen: Vec<u32>) -> Vec<u32> {
    let mut seen = seen;
    seen.push(ctx.event::<Item>().await.0);
    if left == 1 { seen } else { one_item_a_generation(&ctx, left - 1, seen).continue_as_new().await }
}

#[tokio::test]
async fn two_hundred_generations_lose_no_event_and_keep_the_order() {
    let runtime = in_memory().await;
    let client = runtime.client();
    let handle = one_item_a_generation(&client, 200, Vec::new()).id("generations").start().await.unwrap();
    let senders: Vec<_> = (0..2)
        .map(|sender| {
            let handle = handle.clone();
            tokio::spawn(async move {
                for number in 0..100 {
                    handle.raise(Item(sender * 1_000 + number)).await.unwrap();
                }
            })
        })
        .collect();
    for sender in senders {
        soon(sender).await.unwrap();
    }
    let seen = soon(handle.result()).await.unwrap();
    assert_eq!(seen.len(), 200);
    for sender in 0..2 {
        let of_sender: Vec<u32> = seen.iter().copied().filter(|number| number / 1_000 == sender).collect();
        assert_eq!(of_sender, (0..100).map(|number| sender * 1_000 + number).collect::<Vec<_>>());
    }
    assert_eq!(handle.status().await.unwrap().execution_id, ExecutionId(200));
    for execution in 1..=200 {
        let history = client.history("generations", ExecutionId(execution)).await.unwrap();
        assert_eq!(validate(&history), Ok(()), "execution {execution}");
        let continued = matches!(history.last().unwrap().kind, EventKind::ContinuedAsNew { .. });
        assert_eq!(continued, execution < 200, "execution {execution}");
    }
    end(runtime).await;
}

/// The first generation lets items gather; the others take one each.
#[orchestration]
async fn lets_items_gather(ctx: OrchestrationContext, gathered: bool, left: u32, seen: Vec<u32>) -> Vec<u32> {
    if !gathered {
        ctx.event_named::<()>("gathered").await;
    }
    let mut seen = seen;
    seen.push(ctx.event::<Item>().await.0);
    if left == 1 { seen } else { lets_items_gather(&ctx, true, left - 1, seen).continue_as_new().await }
}

#[tokio::test]
async fn carried_events_come_before_those_that_wait_in_the_store() {
    let store = MemoryProvider::new();
    let outside = Client::new(store.clone());
    let handle = lets_items_gather(&outside, false, 60, Vec::new()).id("gathers").start().await.unwrap();
    for number in 0..60 {
        if number == 30 {
            outside.raise("gathers", "gathered", &()).await.unwrap();
        }
        handle.raise(Item(number)).await.unwrap();
    }
    let runtime = Runtime::builder(store).start().await.unwrap();
    assert_eq!(soon(handle.result()).await.unwrap(), (0..60).collect::<Vec<_>>());
    end(runtime).await;
}

#[activity]
async fn is_late(name: String) -> u32 {
    gate(name).pass().await;
    1
}

#[orchestration]
async fn leaves_things_open(ctx: OrchestrationContext, generation: u32) -> Result<u32, ActivityError> {
    if generation == 2 {
        // The same commands as in the generation before: late ends of those must not answer these.
        let late = is_late(&ctx, "second generation".into()).await?;
        ctx.timer(Duration::from_millis(1)).await;
        return Ok(late + 1);
    }
    select! {
        _ = is_late(&ctx, "first generation".into()) => Ok(0),
        () = ctx.event_named::<()>("next") => leaves_things_open(&ctx, 2).continue_as_new().await,
    }
}

#[tokio::test]
async fn what_an_execution_left_open_never_answers_the_next() {
    let runtime = in_memory().await;
    let client = runtime.client();
    let handle = leaves_things_open(&client, 1).id("isolated").start().await.unwrap();
    gate("first generation").reached().await;
    client.raise("isolated", "next", &()).await.unwrap();
    gate("second generation").reached().await;
    gate("first generation").open();
    tokio::task::yield_now().await;
    assert_eq!(handle.status().await.unwrap().status, Status::Running);
    gate("second generation").open();
    assert_eq!(soon(handle.result()).await.unwrap(), 2);
    end(runtime).await;
}

#[orchestration]
async fn counts_down(ctx: OrchestrationContext, left: u32) -> u64 {
    if left == 0 { ctx.execution_id().0 } else { counts_down(&ctx, left - 1).continue_as_new().await }
}

#[tokio::test]
async fn generations_that_wait_for_nothing_do_not_block_their_shard() {
    let runtime = Runtime::builder(MemoryProvider::new()).shards(1).start().await.unwrap();
    let client = runtime.client();
    let long = counts_down(&client, 500).start().await.unwrap();
    let short = counts_down(&client, 0).start().await.unwrap();
    assert_eq!(soon(short.result()).await.unwrap(), 1);
    assert_eq!(soon(long.result()).await.unwrap(), 501);
    end(runtime).await;
}

#[orchestration(version = "1.0.0")]
async fn moves_on(ctx: OrchestrationContext) -> u32 {
    counts_down(&ctx, 0).continue_as_new().await
}

#[orchestration]
async fn moves_to_nowhere(ctx: OrchestrationContext) -> u32 {
    moves_on(&ctx).version("7.0.0").continue_as_new().await
}

#[tokio::test]
async fn a_next_execution_that_nobody_can_run_waits_with_a_report() {
    let runtime = in_memory().await;
    let client = runtime.client();
    let other = moves_on(&client).start().await.unwrap();
    soon(other.result()).await.unwrap();
    assert_eq!(other.status().await.unwrap().name, "counts_down");
    let handle = moves_to_nowhere(&client).id("nowhere").start().await.unwrap();
    client.raise("nowhere", "anything", &1).await.unwrap();
    let status = handle.status().await.unwrap();
    assert!(!status.status.is_closed());
    let report = status.suspended.expect("it says why it waits");
    assert!(report.contains("no orchestration `moves_on` of version 7.0.0"), "{report}");
    handle.terminate("it never will").await.unwrap();
    assert_eq!(handle.status().await.unwrap().status, Status::Terminated);
    end(runtime).await;
}
