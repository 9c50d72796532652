//! A store that fails now and then, also after it has kept what it was given (I4, I38).

use durable_runtime::history::{EventKind, validate};
use durable_runtime::prelude::*;
use durable_runtime::providers::{Fault, Faults, Faulty, Operation};
use durable_runtime::{ExecutionId, Provider as _};

use super::kit::{SOON, end, gate};

#[activity]
async fn weathered_step(ctx: ActivityContext, number: u32) -> u32 {
    gate(ctx.idempotency_key()).count();
    number
}

#[orchestration]
async fn weathered_child(ctx: OrchestrationContext, number: u32) -> Result<u32, ActivityError> {
    weathered_step(&ctx, number).await
}

#[orchestration]
async fn weathers(ctx: OrchestrationContext, generation: u32, seen: Vec<u32>) -> Result<Vec<u32>, String> {
    let mut seen = seen;
    let (left, right) = join!(weathered_step(&ctx, 1), weathered_child(&ctx, 2));
    ctx.timer(Duration::from_millis(1)).await;
    let done = left.map_err(|error| error.to_string())? + right.map_err(|error| error.to_string())?;
    for _ in 0..done {
        seen.push(ctx.event_named("number").await);
    }
    if generation == 3 { Ok(seen) } else { weathers(&ctx, generation + 1, seen).continue_as_new().await }
}

/// A third of the transactions and a tenth of everything else fail, half of the transactions after they were kept.
fn weathered() -> Faults {
    let reads = [Operation::FetchTurns, Operation::FetchActivities, Operation::ReadInstance, Operation::ReadHistory];
    let faults = reads.into_iter().fold(Faults::none(), |faults, of| faults.on(of, Fault::ErrorBefore, 0.1));
    let sixth = 1.0 / 6.0;
    faults.on(Operation::Commit, Fault::ErrorBefore, sixth).on(Operation::Commit, Fault::ErrorAfter, sixth)
}

async fn weather(seed: u64, live_max: usize) {
    let store = Faulty::new(MemoryProvider::new(), seed);
    let runtime = Runtime::builder(store.clone()).shards(2).live_executions_max(live_max).start().await.unwrap();
    let client = runtime.client();
    store.set(weathered());
    let ids: Vec<String> = (0..4).map(|number| format!("weather {seed} {number}")).collect();
    let senders: Vec<_> = (ids.iter().cloned())
        .map(|id| {
            let client = client.clone();
            tokio::spawn(async move {
                weathers(&client, 1, Vec::new()).id(&id).start().await.unwrap();
                for number in 0..9_u32 {
                    client.raise(&id, "number", &number).await.unwrap();
                }
            })
        })
        .collect();
    for sender in senders {
        tokio::time::timeout(SOON * 3, sender).await.expect("it goes on").unwrap();
    }
    store.set(Faults::none());
    assert!(store.happened(Operation::Commit, Fault::ErrorAfter) > 0);
    for id in &ids {
        let handle = client.handle::<weathers>(id).unwrap();
        assert_eq!(handle.wait_for(SOON * 2).await.unwrap(), (0..9).collect::<Vec<_>>(), "seed {seed}");
        for execution in 1..=3 {
            let history = client.history(id, ExecutionId(execution)).await.unwrap();
            assert_eq!(validate(&history), Ok(()), "seed {seed}");
            let steps =
                history.iter().filter(|event| matches!(event.kind, EventKind::ActivityScheduled { .. })).count();
            assert_eq!((steps, gate(format!("{id}/{execution}/1")).runs()), (1, 1), "seed {seed}");
        }
    }
    let stats = store.stats().await.unwrap();
    assert_eq!((stats.turn_messages, stats.activities, stats.instances), (0, 0, 16), "seed {seed}");
    end(runtime).await;
}

#[tokio::test]
async fn a_store_that_fails_now_and_then_costs_time_and_nothing_else() {
    let seed = 1;
    println!("seed {seed}");
    weather(seed, 4_096).await;
}

#[tokio::test]
async fn also_when_every_turn_has_to_read_its_history() {
    let seed = 2;
    println!("seed {seed}");
    weather(seed, 1).await;
}
