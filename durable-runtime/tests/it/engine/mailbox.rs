//! Events: once for a key, in order, refused when there are too many, and never lost (I17, I18, I19).

use durable_runtime::client::MessageError;
use durable_runtime::prelude::*;
use durable_runtime::{Client, ExecutionId, Limits};

use super::kit::{SOON, TestStore, each_store, end, soon};

#[derive(Debug, Event, Serialize, Deserialize)]
struct Paid(u64);

#[orchestration]
async fn sums(ctx: OrchestrationContext, left: u32, sum: u64, each_its_own: bool) -> u64 {
    let mut sum = sum;
    for done in 1..=left {
        sum += ctx.event::<Paid>().await.0;
        if each_its_own && done < left {
            return sums(&ctx, left - 1, sum, true).continue_as_new().await;
        }
    }
    sum
}

async fn pay(client: &Client, id: &str, amount: u64, key: &str) {
    client.raise(id, "paid", &Paid(amount)).idempotency_key(key).await.unwrap();
}

/// The name under which the derive stores `Paid`.
#[test]
fn the_name_is_as_expected() {
    assert_eq!(<Paid as durable_runtime::Event>::NAME, "paid");
}

#[tokio::test]
async fn an_event_with_a_key_counts_once_wherever_the_instance_is() {
    for test in each_store() {
        for each_its_own in [false, true] {
            let runtime = test.runtime().start().await.unwrap_or_else(|error| panic!("{error}"));
            let client = runtime.client();
            let id = format!("keys {each_its_own}");
            // Before it is started: it waits in the store.
            for _ in 0..2 {
                pay(&client, &id, 1, "early").await;
            }
            let handle = sums(&client, 4, 0, each_its_own).id(&id).start().await.unwrap();
            // While it runs, also what it has taken by now, also in an earlier execution.
            for key in ["early", "second", "second", "early"] {
                pay(&client, &id, 10, key).await;
            }
            handle.suspend().await.unwrap();
            for _ in 0..2 {
                pay(&client, &id, 100, "third").await;
                pay(&client, &id, 100, "second").await;
            }
            handle.resume().await.unwrap();
            handle.raise(Paid(1_000)).await.unwrap();
            assert_eq!(soon(handle.result()).await.unwrap(), 1_111);
            let error = client.raise(&id, "paid", &Paid(1)).idempotency_key("").await.unwrap_err();
            assert!(matches!(error, MessageError::Id(_)), "{error}");
            handle.delete().await.unwrap();
            if each_its_own {
                end(runtime).await;
                break;
            }
            // The store stays open for the second round.
            drop(runtime);
        }
    }
}

fn small_mailbox(test: &TestStore) -> durable_runtime::RuntimeBuilder {
    let mut limits = Limits::default();
    limits.buffered_events_max = 3;
    limits.buffered_event_bytes_max = 40;
    test.runtime().limits(limits)
}

#[orchestration]
async fn reads_its_mail(ctx: OrchestrationContext, letters: u32) -> Vec<String> {
    ctx.event_named::<u32>("open").await;
    let mut read = Vec::new();
    for _ in 0..letters {
        read.push(ctx.event_named::<String>("letter").await);
    }
    read
}

#[tokio::test]
async fn a_flood_is_refused_and_what_was_accepted_is_there() {
    for test in each_store() {
        let runtime = small_mailbox(&test).start().await.unwrap();
        let client = runtime.client();
        let handle = reads_its_mail(&client, 3).id("flooded").start().await.unwrap();
        for letter in ["a", "b", "c"] {
            client.raise("flooded", "letter", letter).await.unwrap();
        }
        let error = client.raise("flooded", "letter", "d").await.unwrap_err();
        assert!(matches!(&error, MessageError::Full(id) if id.as_str() == "flooded"), "{error}");
        // What somebody waits for takes no room.
        client.raise("flooded", "open", &1).await.unwrap();
        assert_eq!(soon(handle.result()).await.unwrap(), ["a", "b", "c"]);
        let long = reads_its_mail(&client, 1).id("long").start().await.unwrap();
        client.raise("long", "letter", &"x".repeat(30)).await.unwrap();
        assert!(matches!(client.raise("long", "letter", &"x".repeat(30)).await, Err(MessageError::Full(_))));
        client.raise("long", "open", &1).await.unwrap();
        assert_eq!(soon(long.result()).await.unwrap().len(), 1);
        end(runtime).await;
    }
}

#[tokio::test]
async fn what_waits_in_the_store_for_a_full_mailbox_is_taken_when_there_is_room() {
    let folder = tempfile::tempdir().unwrap();
    let store = SledProvider::open(folder.path()).unwrap();
    let outside = Client::new(store.clone());
    let handle = reads_its_mail(&outside, 8).id("stored").start().await.unwrap();
    for letter in 0..8 {
        outside.raise("stored", "letter", &letter.to_string()).await.unwrap();
    }
    let mut limits = Limits::default();
    limits.buffered_events_max = 3;
    let runtime = Runtime::builder(store).limits(limits).start().await.unwrap();
    runtime.client().raise("stored", "open", &1).await.unwrap();
    let read = soon(handle.result()).await.unwrap();
    assert_eq!(read, (0..8).map(|letter| letter.to_string()).collect::<Vec<_>>());
    runtime.shutdown(SOON).await;
}

#[tokio::test]
async fn ten_thousand_generations_with_events_lose_none() {
    let runtime = Runtime::builder(MemoryProvider::new()).double_check(false).start().await.unwrap();
    let client = runtime.client();
    let handle = sums(&client, 10_000, 0, true).id("generations").start().await.unwrap();
    for number in 0..10_000 {
        handle.raise(Paid(number)).await.unwrap();
    }
    let sum = tokio::time::timeout(Duration::from_secs(300), handle.result()).await.expect("it ends").unwrap();
    assert_eq!(sum, 9_999 * 10_000 / 2);
    assert_eq!(handle.status().await.unwrap().execution_id, ExecutionId(10_000));
    end(runtime).await;
}
