//! Stopped in the middle, started again: everything goes on.

use std::path::Path;

use durable_runtime::history::validate;
use durable_runtime::prelude::*;
use durable_runtime::testing::ManualClock;
use uuid::Uuid;

use super::kit::{end, gate, soon};

#[activity]
async fn step(name: String) -> String {
    gate(name.clone()).pass().await;
    name
}

#[orchestration]
async fn does_a_bit_of_everything(ctx: OrchestrationContext, name: String) -> Result<Vec<String>, ActivityError> {
    let mut done = vec![step(&ctx, format!("{name} first")).await?];
    ctx.timer(Duration::from_secs(3_600)).await;
    let (left, right) = join!(step(&ctx, format!("{name} left")), step(&ctx, format!("{name} right")));
    done.extend([left?, right?]);
    done.push(ctx.event_named("go").await);
    Ok(done)
}

async fn opened(folder: &Path, clock: &ManualClock, live_max: usize) -> Runtime {
    let store = SledProvider::options().clock(clock.clone()).open(folder).unwrap();
    Runtime::builder(store).live_executions_max(live_max).start().await.unwrap()
}

async fn goes_on_after_each_step(name: &str, live_max: usize) {
    let (folder, clock) = (tempfile::tempdir().unwrap(), ManualClock::new());
    let open = || opened(folder.path(), &clock, live_max);
    let now = Duration::ZERO;

    let runtime = open().await;
    does_a_bit_of_everything(&runtime.client(), name.into()).id(name).start().await.unwrap();
    gate(format!("{name} first")).reached().await;
    runtime.shutdown(now).await; // in the middle of an activity

    let runtime = open().await;
    gate(format!("{name} first")).reached().await;
    gate(format!("{name} first")).open();
    runtime.shutdown(super::kit::SOON).await; // in the middle of a timer
    let runtime = open().await;
    runtime.shutdown(now).await;

    clock.advance(Duration::from_secs(3_600)); // it comes due while nobody runs
    let runtime = open().await;
    gate(format!("{name} left")).reached().await;
    gate(format!("{name} right")).reached().await;
    gate(format!("{name} right")).open();
    runtime.shutdown(now).await; // one of two is done, or not

    gate(format!("{name} left")).open_for_all();
    gate(format!("{name} right")).open_for_all();
    let runtime = open().await;
    runtime.client().raise(name, "go", "gone").await.unwrap();
    runtime.shutdown(now).await; // the event is there, and perhaps nobody saw it

    let runtime = open().await;
    let handle = runtime.client().handle::<does_a_bit_of_everything>(name).unwrap();
    let done = soon(handle.result()).await.unwrap();
    let expected = [format!("{name} first"), format!("{name} left"), format!("{name} right"), "gone".to_owned()];
    assert_eq!(done, expected);
    assert_eq!(validate(&handle.history().await.unwrap()), Ok(()));
    end(runtime).await;
}

#[tokio::test]
async fn everything_goes_on_after_a_restart() {
    goes_on_after_each_step("restarted", 4_096).await;
}

#[tokio::test]
async fn everything_goes_on_when_every_turn_replays() {
    goes_on_after_each_step("replayed", 1).await;
}

#[orchestration]
async fn sums_in_turns(ctx: OrchestrationContext, turns: u32) -> u32 {
    let mut sum = 0;
    for _ in 0..turns {
        sum += ctx.event_named::<u32>("number").await;
    }
    sum
}

#[tokio::test]
async fn instances_that_push_each_other_out_of_memory_lose_nothing() {
    let runtime = Runtime::builder(MemoryProvider::new()).shards(1).live_executions_max(1).start().await.unwrap();
    let client = runtime.client();
    let mut handles = Vec::new();
    for number in 0..5 {
        handles.push(sums_in_turns(&client, 20).id(format!("crowded {number}")).start().await.unwrap());
    }
    for number in 0..20 {
        for handle in &handles {
            client.raise(handle.id(), "number", &number).await.unwrap();
        }
    }
    for handle in handles {
        assert_eq!(soon(handle.result()).await.unwrap(), 190);
        assert_eq!(validate(&handle.history().await.unwrap()), Ok(()));
    }
    end(runtime).await;
}

type Drawn = (Vec<Uuid>, Vec<u64>, Vec<Duration>);

#[orchestration]
async fn draws(ctx: OrchestrationContext, turns: u32) -> Drawn {
    let (mut guids, mut numbers, mut moments) = (Vec::new(), Vec::new(), Vec::new());
    for _ in 0..turns {
        guids.push(ctx.new_guid());
        numbers.push(ctx.random());
        moments.push(ctx.now().duration_since(std::time::UNIX_EPOCH).unwrap_or_default());
        ctx.set_status(&(&guids, &numbers, &moments));
        ctx.event_named::<()>("next").await;
    }
    (guids, numbers, moments)
}

#[tokio::test]
async fn time_and_chance_are_the_same_in_every_replay_and_time_never_goes_back() {
    let (folder, clock) = (tempfile::tempdir().unwrap(), ManualClock::new());
    let mut shown: Vec<Drawn> = Vec::new();
    for turn in 0..6_u64 {
        let runtime = opened(folder.path(), &clock, 1).await;
        let client = runtime.client();
        if turn == 0 {
            draws(&client, 6).id("drawn").start().await.unwrap();
        } else {
            client.raise("drawn", "next", &()).await.unwrap();
        }
        let status = client.status("drawn").await.unwrap().custom_status.unwrap();
        shown.push(status.decode().unwrap());
        runtime.shutdown(Duration::ZERO).await;
        // Forward, and back by more.
        let by = if turn % 2 == 0 { 10_000 } else { 0 };
        clock.set(durable_runtime::Timestamp::from_millis(1_767_225_600_000 + by));
    }
    let runtime = opened(folder.path(), &clock, 1).await;
    runtime.client().raise("drawn", "next", &()).await.unwrap();
    let last = soon(runtime.client().handle::<draws>("drawn").unwrap().result()).await.unwrap();
    for (index, (guids, numbers, moments)) in shown.iter().enumerate() {
        let turns = index + 1;
        assert_eq!((guids.as_slice(), numbers.as_slice()), (&last.0[..turns], &last.1[..turns]));
        assert_eq!(moments.as_slice(), &last.2[..turns]);
    }
    assert!(last.2.is_sorted(), "{:?}", last.2);
    assert_eq!(last.0.iter().collect::<std::collections::BTreeSet<_>>().len(), 6);
    end(runtime).await;
}

#[tokio::test]
async fn what_was_kept_while_an_instance_was_loaded_comes_before_what_was_raised_later() {
    let store = super::counted::Counted::new(MemoryProvider::new());
    let runtime = Runtime::builder(store.clone()).shards(1).live_executions_max(1).start().await.unwrap();
    let (client, outside) = (runtime.client(), Client::new(store.clone()));
    let handle = remembers_order(&client).id("ordered").start().await.unwrap();
    remembers_order(&client).id("pushes it out").start().await.unwrap();
    store.hold_next_load("ordered");
    let first = tokio::spawn({
        let client = client.clone();
        async move { client.raise("ordered", "number", &1).await.unwrap() }
    });
    store.load_held().await;
    outside.raise("ordered", "number", &2).await.unwrap();
    let third = tokio::spawn(async move { client.raise("ordered", "number", &3).await.unwrap() });
    tokio::task::yield_now().await;
    store.go();
    soon(first).await.unwrap();
    soon(third).await.unwrap();
    assert_eq!(soon(handle.result()).await.unwrap(), [1, 2, 3]);
    end(runtime).await;
}

#[orchestration]
async fn remembers_order(ctx: OrchestrationContext) -> Vec<u32> {
    let mut numbers = Vec::new();
    while numbers.len() < 3 {
        numbers.push(ctx.event_named("number").await);
    }
    numbers
}
