//! No payload is logged, whatever happens to it: at level TRACE, on every path.

use std::collections::BTreeMap;

use durable_runtime::prelude::*;
use durable_runtime::testing::ManualClock;

use super::captured;
use crate::engine::kit::{SOON, end, soon};

/// What must not be seen.
const SECRET: &str = "canary-5f3a91";
/// Nor this.
const MAP_SECRET: &str = "canary-77b0e2";

#[derive(Debug, Clone, Serialize, Deserialize)]
enum What {
    Return(String),
    Fail(String),
    Panic(String),
    PanicInDrop(String),
    Misfit(String),
}

struct PanicsInDrop(String);

impl Drop for PanicsInDrop {
    fn drop(&mut self) {
        panic!("{}", self.0);
    }
}

#[activity(retry(max_attempts = 2, initial = "1ms"), heartbeat = "1h")]
async fn keeps_a_secret(ctx: ActivityContext, what: What) -> Result<String, String> {
    ctx.heartbeat(&what).unwrap();
    match what {
        What::Return(text) => Ok(text),
        What::Fail(text) | What::Misfit(text) => Err(text),
        What::Panic(text) => panic!("{text}"),
        What::PanicInDrop(text) => {
            let _later = PanicsInDrop(text);
            tokio::task::yield_now().await;
            Ok(String::new())
        }
    }
}

/// The same name as another with other arguments: what was stored for one does not fit the other.
#[activity]
async fn takes_a_number(number: u64) -> u64 {
    number
}

#[orchestration]
async fn has_secrets(ctx: OrchestrationContext, text: String) -> Result<String, String> {
    ctx.set_status(&text);
    let kinds = [What::Return, What::Fail, What::Panic, What::PanicInDrop, What::Misfit];
    for kind in kinds {
        let _ = keeps_a_secret(&ctx, kind(text.clone())).await;
    }
    let number: u64 = ctx.event_named("number").await;
    ctx.side_effect("secret", || text.clone());
    Err(format!("{text} {number}"))
}

#[orchestration]
async fn panics_with_a_secret(ctx: OrchestrationContext, text: String) -> u64 {
    ctx.timer(Duration::ZERO).await;
    panic!("{text}")
}

#[orchestration]
async fn takes_no_text(ctx: OrchestrationContext, number: u64) -> u64 {
    ctx.timer(Duration::ZERO).await;
    number
}

/// Asks for something else each time that it is run.
#[orchestration]
async fn changes_its_mind(ctx: OrchestrationContext, text: String) -> Result<u64, ActivityError<String>> {
    let text = if ctx.is_replaying() { text + "!" } else { text };
    let _ = keeps_a_secret(&ctx, What::Return(text)).await;
    Ok(ctx.event_named("never").await)
}

/// The keys of maps are payload too.
#[orchestration]
async fn keeps_a_map(ctx: OrchestrationContext, map: BTreeMap<String, u64>) -> Result<u64, ChildError<String>> {
    ctx.set_status(&map);
    ctx.kv().set("map", &map).unwrap();
    let _ = ctx.kv().get::<BTreeMap<String, bool>>("map");
    let heard: BTreeMap<String, u64> = ctx.event_named("map").await;
    let failed = fails_with_a_map(&ctx, heard).await;
    ctx.side_effect("map", || map.clone());
    failed
}

#[orchestration]
async fn fails_with_a_map(_ctx: OrchestrationContext, map: BTreeMap<String, u64>) -> Result<u64, String> {
    Err(format!("{map:?}"))
}

#[tokio::test]
async fn no_key_of_a_map_is_ever_logged() {
    captured::begin();
    let store = MemoryProvider::new();
    let runtime = Runtime::builder(store.clone()).start().await.unwrap();
    let client = runtime.client();
    let map = |value: serde_json::Value| serde_json::json!({ "map": { MAP_SECRET: value } });
    let start = |client: &Client, value| client.start_named("keeps_a_map", &map(value)).id("map").start();
    start(&client, "no number".into()).await.unwrap_err();
    start(&Client::new(store.clone()), "no number".into()).await.unwrap();
    let handle = client.handle::<keeps_a_map>("map").unwrap();
    soon(handle.result()).await.unwrap_err();

    let again = client.start_named("keeps_a_map", &map(1.into())).id("map").if_exists(IfExists::RestartIfClosed);
    again.start().await.unwrap();
    for value in [serde_json::json!("no number"), serde_json::json!(2)] {
        client.raise("map", "map", &serde_json::json!({ MAP_SECRET: value })).await.unwrap();
    }
    soon(handle.result()).await.unwrap_err();
    client.kv::<bool>("map", "map").await.unwrap_err();
    client.raise("map", "map", MAP_SECRET).await.unwrap_err();
    end(runtime).await;
    assert!(!captured::lines("instance=map").is_empty(), "something was logged");
    assert_eq!(captured::lines(MAP_SECRET), Vec::<String>::new());
}

#[tokio::test]
async fn no_secret_is_ever_logged() {
    captured::begin();
    let (folder, clock) = (tempfile::tempdir().unwrap(), ManualClock::new());
    let store = SledProvider::options().clock(clock.clone()).open(folder.path()).unwrap();
    let store: std::sync::Arc<dyn durable_runtime::Provider> = std::sync::Arc::new(store);
    let builder = || Runtime::builder(store.clone()).keep_store_open();
    let runtime = builder().double_check(false).start().await.unwrap();
    let client = runtime.client();
    let secret = SECRET.to_owned();

    let handle = has_secrets(&client, secret.clone()).id("secrets").label("of", "canary").start().await.unwrap();
    client.raise("secrets", "number", SECRET).await.unwrap(); // does not fit
    client.raise("secrets", "number", &7).await.unwrap();
    let ended = async {
        let mut passing = tokio::time::interval(Duration::from_millis(1));
        let result = handle.result();
        tokio::pin!(result);
        loop {
            tokio::select! {
                result = &mut result => break result,
                _ = passing.tick() => clock.advance(Duration::from_millis(1)),
            }
        }
    };
    soon(ended).await.unwrap_err();

    let panics = panics_with_a_secret(&client, secret.clone()).start().await.unwrap();
    soon(panics.result()).await.unwrap_err();
    // A client of the runtime refuses what does not fit; one of the store alone does not know, and the first turn does.
    let misfit =
        |client: &Client| client.start_named("takes_no_text", &serde_json::json!({ "number": SECRET })).id("misfit");
    misfit(&client).start().await.unwrap_err();
    misfit(&Client::new(store.clone())).start().await.unwrap();
    soon(client.handle::<takes_no_text>("misfit").unwrap().result()).await.unwrap_err();
    changes_its_mind(&client, secret.clone()).id("changes").start().await.unwrap();
    runtime.shutdown(SOON).await;

    let runtime = builder().start().await.unwrap(); // the replay finds the other step
    runtime.client().raise("changes", "go", SECRET).await.unwrap();
    assert!(runtime.client().suspended("changes").unwrap().unwrap().contains("DUR0107"));
    runtime.client().cancel("changes", SECRET).await.unwrap();
    end(runtime).await;

    let of_this_test = captured::lines("instance=changes");
    assert!(of_this_test.iter().any(|line| line.contains("suspended")), "something was logged: {of_this_test:?}");
    assert!(captured::lines("an event that does not fit").iter().any(|line| line.contains("expected=u64")));
    assert_eq!(captured::lines(SECRET), Vec::<String>::new());
}
