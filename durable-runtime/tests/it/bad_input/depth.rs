//! JSON so deep that reading it would use up a stack: it is refused or passed over, by all who read, and nothing else suffers.

use durable_runtime::client::{ReadError, StartError};
use durable_runtime::prelude::*;
use durable_runtime::{Client, Payload};

use crate::engine::kit::{each_store, end, soon};

const DEPTH: usize = 100_000;

fn bomb() -> Payload {
    Payload::from_json("[".repeat(DEPTH) + &"]".repeat(DEPTH)).unwrap()
}

/// The arguments of an orchestration, with a bomb among them.
fn arguments() -> Payload {
    Payload::from_json(format!(r#"{{"any":{}}}"#, bomb().as_str())).unwrap()
}

#[activity]
async fn answers_a_bomb() -> Bomb {
    Bomb
}

/// Writes itself deeper than anything can be read.
#[derive(Debug)]
struct Bomb;

impl Serialize for Bomb {
    fn serialize<S: serde::Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        bomb().serialize(serializer)
    }
}

impl<'de> Deserialize<'de> for Bomb {
    fn deserialize<D: serde::Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        serde_json::Value::deserialize(deserializer).map(|_| Self)
    }
}

/// Takes anything.
#[orchestration]
async fn takes_anything(_ctx: OrchestrationContext, any: serde_json::Value) -> bool {
    any.is_null()
}

#[orchestration]
async fn hears_anything(ctx: OrchestrationContext) -> Result<String, ActivityError> {
    ctx.set_status(&bomb());
    ctx.kv().set("bomb", &bomb()).unwrap();
    assert!(ctx.kv().get::<serde_json::Value>("bomb").is_err());
    let Err(ActivityError::Codec { message }) = answers_a_bomb(&ctx).await else { panic!("it was read") };
    assert!(message.contains("recursion limit"), "{message}");
    Ok(ctx.event_named::<serde_json::Value>("any").await.to_string())
}

#[tokio::test]
async fn what_is_too_deep_is_refused_or_passed_over() {
    for test in each_store() {
        let runtime = test.runtime().start().await.unwrap();
        let client = runtime.client();
        let error = client.start_named("takes_anything", &arguments()).id("deep").start().await.unwrap_err();
        assert!(matches!(&error, StartError::Codec(error) if error.to_string().contains("recursion limit")), "{error}");
        assert!(client.status("deep").await.is_err(), "nothing was started");
        let outside = Client::new(test.store.clone());
        outside.start_named("takes_anything", &arguments()).id("deep").start().await.unwrap();
        let error = soon(client.handle::<takes_anything>("deep").unwrap().result()).await.unwrap_err();
        assert!(error.to_string().contains("recursion limit"), "{error}");

        let handle = hears_anything(&client).id("hears").start().await.unwrap();
        client.raise("hears", "any", &bomb()).await.unwrap();
        client.raise("hears", "any", &1).await.unwrap();
        assert_eq!(soon(handle.result()).await.unwrap(), "1");

        // All that looks at it can.
        let status = handle.status().await.unwrap();
        assert_eq!(status.custom_status.map(|status| status.len()), Some(2 * DEPTH));
        let error = handle.kv::<serde_json::Value>("bomb").await.unwrap_err();
        assert!(matches!(error, ReadError::Codec(_)), "{error}");
        let history = handle.history().await.unwrap();
        assert_eq!(durable_runtime::history::to_text(&history).lines().count(), history.len());
        client.why("hears").await.unwrap();
        end_and_move(&client).await;
        end(runtime).await;
    }
}

/// It can be exported, and imported elsewhere.
async fn end_and_move(client: &Client) {
    let mut lines = Vec::new();
    let written = client.export(client.query()).write_to(&mut lines).await.unwrap();
    let elsewhere = Client::new(MemoryProvider::new());
    let read = elsewhere.import().read_from(lines.as_slice()).await.unwrap();
    assert_eq!(written.instances, read.instances);
    let first = durable_runtime::ExecutionId::FIRST;
    assert_eq!(elsewhere.history("hears", first).await.unwrap(), client.history("hears", first).await.unwrap());
}
