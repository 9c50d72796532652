//! How much there is of one instance.

use durable_runtime::client::ReadError;
use durable_runtime::management::InstanceStats;
use durable_runtime::prelude::*;

use crate::engine::kit::{each_store, end, gate};

#[activity]
async fn counted_step(name: String) {
    gate(name).pass().await;
}

#[activity(tag = "nobody serves this")]
async fn counted_elsewhere() {}

#[orchestration]
async fn counted_one(ctx: OrchestrationContext, left: u32, name: String) -> Result<(), ActivityError> {
    if left > 0 {
        return counted_one(&ctx, left - 1, name).continue_as_new().await;
    }
    ctx.kv().set("a", &"12345").unwrap();
    ctx.kv().set("b", &7).unwrap();
    let (step, elsewhere) = (counted_step(&ctx, name), counted_elsewhere(&ctx));
    let (late, event) = (ctx.timer(Duration::from_secs(60)), ctx.event_named::<u32>("go"));
    let _ = join!(step, elsewhere, late, event);
    Ok(())
}

#[tokio::test]
async fn an_instance_says_how_much_there_is_of_it() {
    for test in each_store() {
        let runtime = test.runtime().keep_store_open().start().await.unwrap();
        let client = runtime.client();
        let name = test.named("counted");
        let handle = counted_one(&client, 2, name.clone()).id("one").start().await.unwrap();
        gate(&name).reached().await;
        // Two short executions, and the third with all that it waits for.
        let stats: InstanceStats = handle.stats().await.unwrap();
        let newest = handle.history().await.unwrap().len() as u64;
        assert_eq!((stats.executions, stats.history_events, stats.events), (3, newest, 2 * 2 + newest), "{stats:?}");
        assert_eq!((stats.turn_messages, stats.not_due), (1, 1), "{stats:?}");
        assert_eq!((stats.activities, stats.activities_leased), (2, 1), "{stats:?}");
        assert_eq!((stats.kv_keys, stats.kv_bytes), (2, 7 + 1), "{stats:?}");

        handle.suspend().await.unwrap();
        client.raise("one", "go", &1).await.unwrap();
        test.clock.advance(Duration::from_secs(60));
        let stats = handle.stats().await.unwrap();
        assert!(stats.turn_messages >= 2 && stats.not_due == 0, "{stats:?}");
        handle.terminate("enough").await.unwrap();
        // Its lease ended with the minute, so it may have been begun anew.
        gate(&name).open_for_all();
        let error = client.instance_stats("nobody").await.unwrap_err();
        assert!(matches!(error, ReadError::NotFound(_)), "{error}");
        end(runtime).await;
    }
}
