//! Versions of one name side by side, and changes guarded by a patch: on memory and sled.

use durable_runtime::client::StartError;
use durable_runtime::context::LATEST;
use durable_runtime::history::EventKind;
use durable_runtime::prelude::*;

use super::kit::{each_store, end, soon};

mod first {
    use super::*;

    #[orchestration(name = "side by side", version = "1.9.0")]
    pub(super) async fn greets(ctx: OrchestrationContext) -> String {
        let name = ctx.event_named::<String>("name").await;
        format!("hello {name}")
    }
}

mod second {
    use super::*;

    #[orchestration(name = "side by side", version = "1.10.0")]
    pub(super) async fn greets(ctx: OrchestrationContext) -> String {
        let name = ctx.event_named::<String>("name").await;
        ctx.timer(Duration::ZERO).await;
        format!("good day {name}")
    }
}

#[orchestration]
async fn has_a_greeting_child(ctx: OrchestrationContext) -> Result<String, ChildError> {
    first::greets(&ctx).id("greeting child").version(LATEST).await
}

#[tokio::test]
async fn running_instances_stay_with_their_version_and_new_ones_get_the_newest() {
    for test in each_store() {
        let runtime = test.runtime().start().await.unwrap();
        let client = runtime.client();
        let old = first::greets(&client).id("old").start().await.unwrap();
        let new = second::greets(&client).id("new").start().await.unwrap();
        let named = client.start_named("side by side", &()).id("named").start().await;
        assert!(matches!(named, Err(StartError::Codec(_))), "its arguments are an object");
        let nothing = serde_json::json!({});
        let named = client.start_named("side by side", &nothing).id("named").start().await.unwrap();
        let asked = first::greets(&client).version(LATEST).id("asked").start().await.unwrap();
        let parent = has_a_greeting_child(&client).start().await.unwrap();
        for (id, version) in [("old", "1.9.0"), ("new", "1.10.0"), ("named", "1.10.0"), ("asked", "1.10.0")] {
            assert_eq!(client.status(id).await.unwrap().version, version, "{id}");
            client.raise(id, "name", "Ada").await.unwrap();
        }
        assert_eq!(soon(old.result()).await.unwrap(), "hello Ada");
        assert_eq!(soon(new.result()).await.unwrap(), "good day Ada");
        assert_eq!(soon(asked.result()).await.unwrap(), "good day Ada");
        let named = client.handle::<second::greets>(named).unwrap();
        assert_eq!(soon(named.result()).await.unwrap(), "good day Ada");
        client.raise("greeting child", "name", "Max").await.unwrap();
        assert_eq!(soon(parent.result()).await.unwrap(), "good day Max");
        end(runtime).await;
    }
}

#[tokio::test]
async fn the_builder_says_which_version_counts_as_the_latest() {
    for test in each_store() {
        let missing =
            test.runtime().keep_store_open().latest_version("side by side", "2.0.0").start().await.err().unwrap();
        let says = "`latest_version` names version 2.0.0 of `side by side`, which is not registered here; \
                    versions of `side by side` here: 1.10.0, 1.9.0";
        assert_eq!(missing.to_string(), says);
        let runtime = test.runtime().latest_version("side by side", "1.9.0").start().await.unwrap();
        let client = runtime.client();
        first::greets(&client).version(LATEST).id("taken back").start().await.unwrap();
        second::greets(&client).id("asked for").start().await.unwrap();
        let parent = has_a_greeting_child(&client).start().await.unwrap();
        client.raise("greeting child", "name", "Max").await.unwrap();
        assert_eq!(soon(parent.result()).await.unwrap(), "hello Max");
        assert_eq!(client.status("taken back").await.unwrap().version, "1.9.0");
        assert_eq!(client.status("asked for").await.unwrap().version, "1.10.0");
        end(runtime).await;
    }
}

#[orchestration]
async fn moves_to_the_newest(ctx: OrchestrationContext) -> String {
    ctx.event_named::<u32>("move").await;
    first::greets(&ctx).version(LATEST).continue_as_new().await
}

#[tokio::test]
async fn the_next_execution_may_be_of_the_newest_version() {
    for test in each_store() {
        let runtime = test.runtime().start().await.unwrap();
        let client = runtime.client();
        let handle = moves_to_the_newest(&client).id("moves").start().await.unwrap();
        client.raise("moves", "move", &1).await.unwrap();
        client.raise("moves", "name", "Ada").await.unwrap();
        assert_eq!(soon(handle.result()).await.unwrap(), "good day Ada");
        assert_eq!(handle.status().await.unwrap().version, "1.10.0");
        end(runtime).await;
    }
}

#[tokio::test]
async fn a_marker_says_which_way_an_instance_took() {
    for test in each_store() {
        let runtime = test.runtime().start().await.unwrap();
        let client = runtime.client();
        let handle = marked(&client).id("marked").start().await.unwrap();
        for _ in 0..2 {
            client.raise("marked", "next", &1).await.unwrap();
        }
        assert_eq!(soon(handle.result()).await.unwrap(), [true, true]);
        let history = handle.history().await.unwrap();
        let markers = history.iter().filter(|event| matches!(event.kind, EventKind::Patched { .. })).count();
        assert_eq!(markers, 1, "once for an execution");
        end(runtime).await;
    }
}

#[orchestration]
async fn marked(ctx: OrchestrationContext) -> Vec<bool> {
    let mut taken = Vec::new();
    for _ in 0..2 {
        ctx.event_named::<u32>("next").await;
        taken.push(ctx.patched("a change"));
    }
    taken
}
