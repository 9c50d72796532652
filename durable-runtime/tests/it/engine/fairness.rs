//! One instance with very much to do does not keep the others waiting (I33): counted in turns, not in time.

use std::collections::BTreeMap;
use std::sync::{Mutex, MutexGuard};

use durable_runtime::prelude::*;
use durable_runtime::{Client, InstanceId, Limits};

use super::counted::Counted;
use super::kit::{each_store, end, gate, soon};

/// More than one turn takes, many times over.
const FLOOD: u32 = 20_000;
/// How many turns of the flooded one may stand before one of another: the one that runs, the one that is in hand by then,
/// and one more that comes in meanwhile.
const TURNS_BETWEEN: usize = 3;

#[orchestration]
async fn flooded(ctx: OrchestrationContext) -> u32 {
    ctx.event_named("never").await
}

#[orchestration]
async fn light(ctx: OrchestrationContext) -> u32 {
    ctx.event_named::<u32>("go").await
}

/// How many turns of others were handed out before the first one of this instance.
fn turns_before(turns: &[InstanceId], id: &str) -> usize {
    turns.iter().position(|turn| turn.as_str() == id).unwrap()
}

fn roomy() -> Limits {
    let mut limits = Limits::default();
    limits.buffered_events_max = FLOOD as usize * 2;
    limits
}

#[tokio::test]
async fn a_flood_of_events_for_one_instance_keeps_no_other_waiting() {
    let store = Counted::new(MemoryProvider::new());
    let builder = Runtime::builder(store.clone()).limits(roomy()).shards(1).double_check(false);
    let runtime = builder.start().await.unwrap();
    let client = runtime.client();
    flooded(&client).id("hot").start().await.unwrap();
    let sender = client.clone();
    let flood = tokio::spawn(async move {
        let raises = (0..FLOOD).map(|number| sender.raise("hot", "noise", &number).into_future());
        futures_util::future::join_all(raises).await.into_iter().for_each(|raised| raised.unwrap());
    });
    // All of them stand before the door by then.
    while store.turns_of("hot") < 2 {
        tokio::task::yield_now().await;
    }
    let mut most = 0;
    for number in 0..5 {
        let id = format!("light {number}");
        let begin = store.turns().len();
        let handle = light(&client).id(&id).start().await.unwrap();
        most = most.max(turns_before(&store.turns()[begin..], &id));
        let begin = store.turns().len();
        client.raise(&id, "go", &1).await.unwrap();
        most = most.max(turns_before(&store.turns()[begin..], &id));
        assert_eq!(handle.result().await.unwrap(), 1);
    }
    assert!(!flood.is_finished(), "there was a flood all the time");
    assert!(most <= TURNS_BETWEEN, "{most} turns of the flooded one stood before another");
    tokio::time::timeout(Duration::from_secs(300), flood).await.expect("the flood ends").unwrap();
    client.terminate("hot", "").await.unwrap();
    end(runtime).await;
}

#[tokio::test]
async fn a_full_queue_of_one_instance_keeps_no_other_waiting() {
    let store = Counted::new(MemoryProvider::new());
    let outside = Client::new(store.clone());
    flooded(&outside).id("hot").start().await.unwrap();
    for number in 0..5_000 {
        outside.raise("hot", "noise", &number).await.unwrap();
    }
    let lights = 50;
    for number in 0..lights {
        light(&outside).id(format!("light {number}")).start().await.unwrap();
        outside.raise(format!("light {number}"), "go", &1).await.unwrap();
    }
    let builder = Runtime::builder(store.clone()).limits(roomy()).shards(1).double_check(false);
    let runtime = builder.start().await.unwrap();
    for number in 0..lights {
        let handle = runtime.client().handle::<light>(format!("light {number}")).unwrap();
        assert_eq!(soon(handle.result()).await.unwrap(), 1);
    }
    // In the order in which they were handed out, no other waits for more than a few turns of the full one.
    let turns = store.turns();
    let last_light = turns.iter().rposition(|id| id.as_str() != "hot").unwrap();
    let before = turns[..last_light].iter().filter(|id| id.as_str() == "hot").count();
    assert!(before <= TURNS_BETWEEN, "{before} turns of the full one stood before another");
    runtime.client().terminate("hot", "").await.unwrap();
    end(runtime).await;
}

#[activity]
async fn one_of_very_many(name: String, number: u32) {
    if number == 0 {
        gate(&name).pass().await;
    }
    noted(&name).push(format!("large {number}"));
}

#[activity]
async fn noted_of_its_own(name: String, number: u32) {
    noted(&name).push(format!("small {number}"));
}

/// In which order bodies ran.
fn noted(name: &str) -> MutexGuard<'static, Vec<String>> {
    static NOTED: Mutex<BTreeMap<String, &'static Mutex<Vec<String>>>> = Mutex::new(BTreeMap::new());
    let noted = *NOTED.lock().unwrap().entry(name.to_owned()).or_insert_with(|| Box::leak(Box::default()));
    noted.lock().unwrap()
}

#[orchestration]
async fn fans_out_without_a_cap(ctx: OrchestrationContext, name: String) -> usize {
    join_all((0..2_000).map(|number| one_of_very_many(&ctx, name.clone(), number))).await.len()
}

#[orchestration]
async fn notes_its_own(ctx: OrchestrationContext, name: String, number: u32) -> Result<(), ActivityError> {
    noted_of_its_own(&ctx, name, number).await
}

#[tokio::test]
async fn a_large_fan_out_lets_every_other_take_its_turn() {
    for test in each_store() {
        let name = test.named("fans out without a cap");
        let runtime = test.runtime().activities_max(1).double_check(false).start().await.unwrap();
        let client = runtime.client();
        let large = fans_out_without_a_cap(&client, name.clone()).start().await.unwrap();
        gate(&name).reached().await;
        let mut small = Vec::new();
        for number in 0..20 {
            small.push(notes_its_own(&client, name.clone(), number).start().await.unwrap());
        }
        gate(&name).open_for_all();
        for handle in small {
            soon(handle.result()).await.unwrap();
        }
        assert_eq!(tokio::time::timeout(Duration::from_secs(300), large.result()).await.unwrap().unwrap(), 2_000);
        let order = noted(&name).clone();
        let last_small = order.iter().rposition(|of| of.starts_with("small")).unwrap();
        let before = order[..last_small].iter().filter(|of| of.starts_with("large")).count();
        // The one that ran, the one that was handed out next, and one for the moment in which nobody else had come back.
        assert!(before <= 3, "{before} of the large one ran before the last of the others");
        end(runtime).await;
    }
}

/// About as many as may be open.
const FAN_OUT: u32 = 9_000;

#[activity(max_concurrent = 4)]
async fn one_of_many(name: String) {
    gate(name).pass().await;
}

#[activity]
async fn of_its_own(number: u32) -> u32 {
    number
}

#[orchestration]
async fn fans_out_with_a_cap(ctx: OrchestrationContext, name: String) -> usize {
    join_all((0..FAN_OUT).map(|_| one_of_many(&ctx, name.clone()))).await.len()
}

#[orchestration]
async fn calls_its_own(ctx: OrchestrationContext, number: u32) -> Result<u32, ActivityError> {
    of_its_own(&ctx, number).await
}

#[tokio::test]
async fn a_large_fan_out_with_a_cap_keeps_no_other_waiting() {
    for test in each_store() {
        let name = test.named("fans out");
        let runtime = test.runtime().double_check(false).start().await.unwrap();
        let client = runtime.client();
        fans_out_with_a_cap(&client, name.clone()).id("large").start().await.unwrap();
        for _ in 0..4 {
            gate(&name).reached().await;
        }
        // Of the fan-out nothing ends from here on.
        for number in 0..20 {
            let handle = calls_its_own(&client, number).start().await.unwrap();
            assert_eq!(soon(handle.result()).await.unwrap(), number);
        }
        assert_eq!((gate(&name).runs(), test.store.stats().await.unwrap().activities), (4, u64::from(FAN_OUT)));
        client.terminate("large", "").await.unwrap();
        gate(&name).open_for_all();
        end(runtime).await;
    }
}
