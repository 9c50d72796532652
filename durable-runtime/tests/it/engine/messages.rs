//! Events from outside: kept, in order, once (I17, I18).

use std::sync::mpsc;
use std::sync::{LazyLock, Mutex};

use durable_runtime::client::MessageError;
use durable_runtime::prelude::*;

use super::instances::waits_for_go;
use super::kit::{end, in_memory, soon};

#[derive(Debug, Event, Serialize, Deserialize)]
struct Number(u32);

#[orchestration]
async fn takes_numbers(ctx: OrchestrationContext, count: usize) -> Vec<u32> {
    let mut taken = Vec::new();
    while taken.len() < count {
        taken.push(ctx.event::<Number>().await.0);
    }
    taken
}

#[tokio::test]
async fn what_is_raised_before_the_start_is_kept_for_it() {
    let runtime = in_memory().await;
    let client = runtime.client();
    for number in 0..5 {
        client.raise("early", Number::NAME, &Number(number)).await.unwrap();
    }
    assert!(client.status("early").await.is_err(), "an event makes no instance");
    let handle = takes_numbers(&client, 6).id("early").start().await.unwrap();
    handle.raise(Number(5)).await.unwrap();
    assert_eq!(soon(handle.result()).await.unwrap(), [0, 1, 2, 3, 4, 5]);
    end(runtime).await;
}

#[tokio::test]
async fn what_waits_for_a_start_does_not_keep_the_engine_busy() {
    let store = super::counted::Counted::new(MemoryProvider::new());
    let runtime = Runtime::builder(store.clone()).start().await.unwrap();
    let client = runtime.client();
    client.raise("nobody yet", "go", &1).await.unwrap();
    // Two hundred turns of another instance are time enough for a loop to show.
    let busy = takes_numbers(&client, 200).start().await.unwrap();
    for number in 0..200 {
        busy.raise(Number(number)).await.unwrap();
    }
    soon(busy.result()).await.unwrap();
    assert!(store.turns_of("nobody yet") <= 12, "it was looked at {} times", store.turns_of("nobody yet"));
    let handle = waits_for_go(&client).id("nobody yet").start().await.unwrap();
    assert_eq!(soon(handle.result()).await.unwrap(), 1);
    end(runtime).await;
}

#[tokio::test]
async fn a_closed_instance_refuses_events() {
    let runtime = in_memory().await;
    let client = runtime.client();
    let handle = takes_numbers(&client, 1).start().await.unwrap();
    handle.raise(Number(1)).await.unwrap();
    soon(handle.result()).await.unwrap();
    let refused = handle.raise(Number(2)).await.unwrap_err();
    assert!(matches!(&refused, MessageError::Closed { status: Status::Completed, .. }), "{refused}");
    end(runtime).await;
}

#[tokio::test]
async fn events_of_many_senders_come_in_the_order_of_each() {
    let runtime = in_memory().await;
    let client = runtime.client();
    let handle = takes_numbers(&client, 400).id("many senders").start().await.unwrap();
    let senders = (0..4).map(|sender| {
        let handle = handle.clone();
        tokio::spawn(async move {
            for number in 0..100 {
                handle.raise(Number(sender * 1_000 + number)).await.unwrap();
            }
        })
    });
    for sender in senders.collect::<Vec<_>>() {
        soon(sender).await.unwrap();
    }
    let taken = soon(handle.result()).await.unwrap();
    for sender in 0..4 {
        let of_sender: Vec<u32> = taken.iter().copied().filter(|number| number / 1_000 == sender).collect();
        assert_eq!(of_sender, (0..100).map(|number| sender * 1_000 + number).collect::<Vec<_>>());
    }
    end(runtime).await;
}

type Held = (Mutex<mpsc::Receiver<()>>, mpsc::SyncSender<()>);

static HELD: LazyLock<Held> = LazyLock::new(|| {
    let (go, held) = mpsc::sync_channel(1);
    (Mutex::new(held), go)
});
static INSIDE: LazyLock<tokio::sync::Semaphore> = LazyLock::new(|| tokio::sync::Semaphore::new(0));

fn hold() {
    INSIDE.add_permits(1);
    HELD.0.lock().unwrap().recv().unwrap();
}

#[orchestration]
async fn is_long_in_its_first_turn(ctx: OrchestrationContext) -> Vec<u32> {
    ctx.side_effect("hold", hold);
    let first = ctx.event::<Number>().await.0;
    let second = ctx.event::<Number>().await.0;
    vec![first, second]
}

#[tokio::test]
async fn what_is_raised_during_a_turn_is_taken_after_it() {
    let runtime = Runtime::builder(MemoryProvider::new()).shards(1).start().await.unwrap();
    let client = runtime.client();
    let starting = tokio::spawn({
        let client = client.clone();
        async move { is_long_in_its_first_turn(&client).id("long turn").start().await.unwrap() }
    });
    soon(INSIDE.acquire()).await.unwrap().forget();
    let raising = tokio::spawn({
        let client = client.clone();
        async move {
            client.raise("long turn", Number::NAME, &Number(1)).await.unwrap();
            client.raise("long turn", Number::NAME, &Number(2)).await.unwrap();
        }
    });
    tokio::task::yield_now().await;
    HELD.1.send(()).unwrap();
    soon(raising).await.unwrap();
    assert_eq!(soon(soon(starting).await.unwrap().result()).await.unwrap(), [1, 2]);
    end(runtime).await;
}

#[orchestration]
async fn passes_over_misfits(ctx: OrchestrationContext) -> (u32, Option<u32>) {
    let first = ctx.event_named::<u32>("plain").await;
    ctx.event_named::<()>("then").await;
    (first, ctx.try_event::<Number>().map(|number| number.0))
}

#[tokio::test]
async fn an_event_that_does_not_decode_is_passed_over() {
    let runtime = in_memory().await;
    let client = runtime.client();
    let handle = passes_over_misfits(&client).id("misfits").start().await.unwrap();
    client.raise("misfits", "plain", "no number").await.unwrap();
    client.raise("misfits", Number::NAME, "no number either").await.unwrap();
    client.raise("misfits", Number::NAME, &Number(8)).await.unwrap();
    client.raise("misfits", "plain", &7).await.unwrap();
    client.raise("misfits", "then", &()).await.unwrap();
    let (first, second) = soon(handle.result()).await.unwrap();
    assert_eq!((first, second), (7, Some(8)));
    end(runtime).await;
}

#[tokio::test]
async fn a_client_of_the_store_alone_hands_over_to_a_later_runtime() {
    let store = MemoryProvider::new();
    let outside = Client::new(store.clone());
    outside.raise("through the store", Number::NAME, &Number(0)).await.unwrap();
    let handle = takes_numbers(&outside, 3).id("through the store").label("from", "outside").start().await.unwrap();
    handle.raise(Number(1)).await.unwrap();
    assert_eq!(handle.status().await.unwrap().status, Status::Pending);
    assert!(takes_numbers(&outside, 3).id("through the store").start().await.is_err());
    assert!(matches!(outside.cancel("nobody", "").await, Err(MessageError::NotFound(_))));
    let runtime = Runtime::builder(store).start().await.unwrap();
    handle.raise(Number(2)).await.unwrap();
    assert_eq!(soon(handle.result()).await.unwrap(), [0, 1, 2]);
    let status = handle.status().await.unwrap();
    assert_eq!((status.status, status.labels["from"].as_str()), (Status::Completed, "outside"));
    assert!(matches!(handle.raise(Number(3)).await, Err(MessageError::Closed { .. })));
    end(runtime).await;
}

#[tokio::test]
async fn a_start_through_the_store_finds_what_was_raised_before_through_a_runtime() {
    let store = MemoryProvider::new();
    let runtime = Runtime::builder(store.clone()).start().await.unwrap();
    runtime.client().raise("mixed", "go", &1).await.unwrap();
    let handle = waits_for_go(&Client::new(store)).id("mixed").start().await.unwrap();
    assert_eq!(soon(handle.result()).await.unwrap(), 1);
    end(runtime).await;
}
