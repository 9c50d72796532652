//! What users get wrong, and what they are told.

use std::collections::BTreeMap;
use std::fs;

use durable_runtime::client::{MessageError, ResultError, StartError};
use durable_runtime::prelude::*;
use durable_runtime::providers::OpenError;
use durable_runtime::{Client, IdError, RuntimeError};

use super::instances::waits_for_go;
use super::kit::{end, in_memory, payloads_of, soon};

#[derive(Debug, Serialize, Deserialize)]
struct Basket {
    lines: Vec<Line>,
}

#[derive(Debug, Serialize, Deserialize)]
struct Line {
    cents: u64,
}

#[orchestration(version = "3.1.4")]
async fn adds_a_basket(ctx: OrchestrationContext, basket: Basket, tip: Option<u64>) -> u64 {
    ctx.timer(Duration::ZERO).await;
    basket.lines.into_iter().map(|line| line.cents).sum::<u64>() + tip.unwrap_or_default()
}

#[tokio::test]
async fn an_unknown_name_is_told_what_there_is() {
    let runtime = in_memory().await;
    let error = runtime.client().start_named("adds_a_baskte", &()).start().await.unwrap_err();
    let StartError::Unknown { name, version, known } = &error else { panic!("{error}") };
    assert_eq!((name.as_str(), version.as_str()), ("adds_a_baskte", "latest"));
    assert!(known.contains("`adds_a_basket`"), "{known}");
    end(runtime).await;
}

#[tokio::test]
async fn an_unknown_version_is_told_the_versions_of_that_name() {
    let runtime = in_memory().await;
    let client = runtime.client();
    let basket = || Basket { lines: Vec::new() };
    let error = adds_a_basket(&client, basket(), None).version("4.0.0").start().await.unwrap_err();
    let expected =
        "no orchestration `adds_a_basket` of version 4.0.0 is registered; versions of `adds_a_basket` here: 3.1.4";
    assert_eq!(error.to_string(), expected);
    end(runtime).await;
}

#[tokio::test]
async fn an_orchestration_is_started_by_name_with_an_object_of_its_arguments() {
    let runtime = in_memory().await;
    let client = runtime.client();
    let arguments = serde_json::json!({ "basket": { "lines": [{ "cents": 5 }] } });
    let id = client.start_named("adds_a_basket", &arguments).version("3.1.4").id("by name").start().await.unwrap();
    assert_eq!(soon(client.handle::<adds_a_basket>(id).unwrap().result()).await.unwrap(), 5);
    end(runtime).await;
}

#[tokio::test]
async fn arguments_that_do_not_decode_name_the_field() {
    let store = MemoryProvider::new();
    let runtime = Runtime::builder(store.clone()).start().await.unwrap();
    let client = runtime.client();
    for (arguments, text) in [
        (serde_json::json!({ "basket": { "lines": [{ "cents": "five" }] } }), "field `basket.lines[0].cents`"),
        (serde_json::json!({ "basket": { "lines": [{}] } }), "missing field `cents`"),
        (serde_json::json!({ "tip": 1 }), "missing field `basket`"),
        (serde_json::json!(7), "invalid type"),
    ] {
        let error = client.start_named("adds_a_basket", &arguments).id("misfit").start().await.unwrap_err();
        let StartError::Codec(error) = error else { panic!("{error:?}") };
        let message = error.to_string();
        assert!(message.contains("the arguments of orchestration `adds_a_basket` do not decode"), "{message}");
        assert!(message.contains(text), "{message}");
        assert!(client.status("misfit").await.is_err(), "nothing was started");
        // A client that does not know the type cannot tell; the instance says it then.
        let outside = Client::new(store.clone());
        let id = outside.start_named("adds_a_basket", &arguments).start().await.unwrap();
        let error = soon(client.handle::<adds_a_basket>(id).unwrap().result()).await.unwrap_err();
        let ResultError::Codec { message } = error else { panic!("{error:?}") };
        assert!(message.contains(text), "{message}");
    }
    end(runtime).await;
}

#[tokio::test]
async fn what_is_too_long_is_refused_before_anything_is_kept() {
    let runtime = Runtime::builder(MemoryProvider::new()).limits(payloads_of(100)).start().await.unwrap();
    let client = runtime.client();
    let long = Basket { lines: (0..100).map(|cents| Line { cents }).collect() };
    let error = adds_a_basket(&client, long, None).id("too long").start().await.unwrap_err();
    assert!(matches!(error, StartError::TooLong { most: 100, .. }), "{error}");
    assert!(client.status("too long").await.is_err());
    let waiting = waits_for_go(&client).id("waiting").start().await.unwrap();
    let error = client.raise("waiting", "go", &"x".repeat(99)).await.unwrap_err();
    assert!(matches!(error, MessageError::TooLong { bytes: 101, most: 100 }), "{error}");
    assert_eq!(waiting.history().await.unwrap().len(), 2);
    end(runtime).await;
}

#[tokio::test]
async fn what_is_no_id_no_name_and_no_label_is_refused() {
    let runtime = in_memory().await;
    let client = runtime.client();
    for id in ["", "a\nb", &"x".repeat(513)] {
        assert!(matches!(waits_for_go(&client).id(id).start().await, Err(StartError::Id(_))), "{id:?}");
        assert!(matches!(client.raise(id, "go", &1).await, Err(MessageError::Id(_))), "{id:?}");
        assert!(client.handle::<waits_for_go>(id).is_err(), "{id:?}");
    }
    let error = waits_for_go(&client).label("", "x").start().await.unwrap_err();
    assert!(matches!(error, StartError::Id(IdError::Empty { what: "label" })), "{error}");
    let error = client.raise("somebody", "", &1).await.unwrap_err();
    assert!(matches!(error, MessageError::Id(IdError::Empty { what: "event name" })), "{error}");
    let error = client.raise("somebody", "go", &BTreeMap::from([(vec![1], 1)])).await.unwrap_err();
    assert!(matches!(error, MessageError::Codec(_)), "{error}");
    end(runtime).await;
}

#[test]
fn without_a_tokio_runtime_nothing_starts() {
    let starting = Runtime::builder(MemoryProvider::new()).start();
    let started = futures_util::FutureExt::now_or_never(starting).expect("it waits for nothing");
    assert!(matches!(started, Err(RuntimeError::NoTokio)));
}

#[test]
fn a_folder_that_is_held_names_who_holds_it() {
    let folder = tempfile::tempdir().unwrap();
    let _held = SledProvider::open(folder.path()).unwrap();
    let error = SledProvider::open(folder.path()).unwrap_err();
    let OpenError::Held { path, process } = &error else { panic!("{error}") };
    assert_eq!((path.as_path(), *process), (folder.path(), Some(std::process::id())));
    assert!(error.to_string().contains(&format!("is held by process {}", std::process::id())), "{error}");
}

#[test]
fn a_folder_that_is_no_store_stays_as_it_is() {
    let folder = tempfile::tempdir().unwrap();
    fs::write(folder.path().join("letter.txt"), "dear").unwrap();
    let error = SledProvider::open(folder.path()).unwrap_err();
    assert!(matches!(error, OpenError::NotAStore { .. }), "{error}");
    assert_eq!(fs::read_dir(folder.path()).unwrap().count(), 1);
    let file = folder.path().join("letter.txt");
    let error = SledProvider::open(&file).unwrap_err();
    assert!(matches!(error, OpenError::Unwritable { .. } | OpenError::NotAStore { .. }), "{error}");
}

#[test]
fn a_folder_that_cannot_be_made_says_why() {
    let error = SledProvider::open("/proc/no/such/folder").unwrap_err();
    assert!(matches!(error, OpenError::Unwritable { .. }), "{error}");
    assert!(error.to_string().contains("/proc/no/such/folder"), "{error}");
}

#[test]
fn a_store_of_a_newer_format_is_left_alone() {
    let folder = tempfile::tempdir().unwrap();
    fs::write(folder.path().join("durable.json"), r#"{"format":99}"#).unwrap();
    let error = SledProvider::open(folder.path()).unwrap_err();
    assert!(matches!(error, OpenError::NewerFormat { found: 99, supported: 1, .. }), "{error}");
    fs::write(folder.path().join("durable.json"), "not a marker").unwrap();
    let error = SledProvider::open(folder.path()).unwrap_err();
    assert!(matches!(error, OpenError::Corrupt { .. }), "{error}");
}
