//! Instances move between stores, and go on there.

use std::sync::Arc;

use bytes::Bytes;
use durable_runtime::management::{IfPresent, ImportError};
use durable_runtime::prelude::*;
use durable_runtime::providers::{CommitId, Transaction, TransactionOp};
use durable_runtime::testing::ManualClock;
use durable_runtime::{FsProvider, InstanceId, Provider, SqliteProvider};

use crate::engine::kit::{SOON, end, gate, soon, status_when};

#[activity(retry(max_attempts = 3, initial = "1h"))]
async fn moved_step(ctx: ActivityContext, name: String) -> Result<u32, String> {
    gate(&name).count();
    ctx.heartbeat(&7).unwrap();
    match ctx.last_heartbeat::<u32>().unwrap() {
        Some(heard) => Ok(heard + ctx.attempt()),
        None => Err("the first time".to_owned()),
    }
}

#[orchestration]
async fn moves(ctx: OrchestrationContext, name: String, again: bool) -> Result<(u32, String), ActivityError<String>> {
    if again {
        ctx.event_named::<u32>("go").await;
        return moves(&ctx, name, false).continue_as_new().await;
    }
    ctx.set_status("moving");
    let (done, (), text) =
        join!(moved_step(&ctx, name), ctx.timer(Duration::from_secs(60)), ctx.event_named::<String>("text"));
    Ok((done?, text))
}

struct Store {
    store: Arc<dyn Provider>,
    clock: ManualClock,
    _folder: tempfile::TempDir,
}

fn stores() -> Vec<Store> {
    let open = |name: &str| -> Store {
        let (clock, folder) = (ManualClock::new(), tempfile::tempdir().unwrap());
        let path = folder.path().join("store");
        let store: Arc<dyn Provider> = match name {
            "memory" => Arc::new(MemoryProvider::with_clock(clock.clone())),
            "sled" => Arc::new(SledProvider::options().clock(clock.clone()).open(path).unwrap()),
            "fs" => Arc::new(FsProvider::options().clock(clock.clone()).open(path).unwrap()),
            _ => Arc::new(SqliteProvider::options().clock(clock.clone()).open(path).unwrap()),
        };
        Store { store, clock, _folder: folder }
    };
    ["memory", "sled", "fs", "sqlite"].map(open).into()
}

async fn exported(client: &Client) -> String {
    let mut lines = Vec::new();
    client.export(client.query()).write_to(&mut lines).await.unwrap();
    String::from_utf8(lines).unwrap()
}

/// An instance in the middle of everything, with what the engine does not read.
async fn in_the_middle(store: &Store, name: &str) {
    let runtime = Runtime::builder(store.store.clone()).keep_store_open().start().await.unwrap();
    let client = runtime.client();
    let handle = moves(&client, name.to_owned(), true).id("moved").label("colour", "rød").start().await.unwrap();
    handle.client_raise(&client).await;
    status_when(&store.store, "moved", |status| status.execution_id.0 == 2).await;
    gate(name).reached().await;
    while client.why("moved").await.unwrap().to_string().contains("attempt 1 runs") {
        tokio::task::yield_now().await;
    }
    end(runtime).await;
    let instance = InstanceId::new("moved").unwrap();
    let opaque = Some(Bytes::from_static(&[0, 255, 7]));
    let ops = vec![
        TransactionOp::PutKv { instance: instance.clone(), entries: vec![("key".to_owned(), opaque.clone())] },
        TransactionOp::PutMetadata { instance, entries: vec![("opaque".to_owned(), opaque)] },
    ];
    store.store.atomic_batch(Transaction { fence: None, commit_id: CommitId(77), ops }).await.unwrap();
    let alone = Client::new(store.store.clone());
    alone.raise("nobody yet", "kept for one who is not there", &1).await.unwrap();
    alone.start_named("later", &()).id("delayed").delay(Duration::from_secs(9)).start().await.unwrap();
}

trait Raise {
    async fn client_raise(&self, client: &Client);
}

impl<O: durable_runtime::Orchestration> Raise for Handle<O> {
    async fn client_raise(&self, client: &Client) {
        client.raise(self.id(), "go", &1).await.unwrap();
        client.raise(self.id(), "unread", &2).await.unwrap();
    }
}

#[tokio::test]
async fn from_every_store_into_every_other() {
    for from in stores() {
        let kind = from.store.capabilities().name;
        in_the_middle(&from, &format!("moved from {kind}")).await;
        let lines = exported(&Client::new(from.store.clone())).await;
        for to in stores() {
            let (there, other) = (Client::new(to.store.clone()), to.store.capabilities().name);
            let report = there.import().read_from(lines.as_bytes()).await.unwrap();
            assert_eq!((report.instances, report.skipped.len()), (2, 0), "{kind} to {other}");
            assert_eq!(exported(&there).await, lines, "{kind} to {other}: nothing was lost or changed");

            let runtime = Runtime::builder(to.store.clone()).start().await.unwrap();
            let handle = runtime.client().handle::<moves>("moved").unwrap();
            to.clock.advance(Duration::from_secs(3_600));
            runtime.client().raise("moved", "text", "there").await.unwrap();
            assert_eq!(soon(handle.result()).await.unwrap(), (9, "there".to_owned()), "{kind} to {other}");
            assert_eq!(handle.status().await.unwrap().labels["colour"], "rød");
            let first = durable_runtime::ExecutionId::FIRST;
            assert!(!runtime.client().history("moved", first).await.unwrap().is_empty(), "older executions moved too");
            runtime.shutdown(SOON).await;
        }
        from.store.close().await;
    }
}

#[tokio::test]
async fn an_id_that_is_taken_is_refused_or_passed_over() {
    let [from, to] = [MemoryProvider::new(), MemoryProvider::new()].map(Client::new);
    for id in ["a", "b", "c"] {
        from.start_named("x", id).id(id).start().await.unwrap();
    }
    to.start_named("y", &()).id("b").start().await.unwrap();
    let lines = exported(&from).await;
    let refused = to.import().read_from(lines.as_bytes()).await.unwrap_err();
    assert!(matches!(&refused, ImportError::Present(id) if id.as_str() == "b"), "{refused}");
    assert!(to.status("a").await.is_ok() && to.status("c").await.is_err(), "those before it are there");
    let report = to.import().if_present(IfPresent::Skip).read_from(lines.as_bytes()).await.unwrap();
    assert_eq!((report.instances, report.skipped.len()), (1, 2));
    assert_eq!(to.status("b").await.unwrap().name, "y");
}

#[tokio::test]
async fn what_is_cut_or_damaged_is_refused_with_the_line() {
    let from = Client::new(MemoryProvider::new());
    for id in ["a", "b"] {
        from.start_named("x", id).id(id).start().await.unwrap();
    }
    let lines: Vec<String> = exported(&from).await.lines().map(str::to_owned).collect();
    let import = async |lines: &[String]| {
        let to = Client::new(MemoryProvider::new());
        let text = lines.iter().map(|line| format!("{line}\n")).collect::<String>();
        to.import().read_from(text.as_bytes()).await
    };
    assert_eq!(import(&lines).await.unwrap().instances, 2);
    for cut in 0..lines.len() {
        let refused = import(&lines[..cut]).await.unwrap_err();
        assert!(matches!(refused, ImportError::Cut { line } if line == cut as u64), "cut after {cut}: {refused}");
        let mut without = lines.clone();
        without.remove(cut);
        assert!(import(&without).await.is_err(), "without line {}", cut + 1);
        let mut damaged = lines.clone();
        damaged[cut].truncate(5);
        let refused = import(&damaged).await.unwrap_err();
        assert!(matches!(refused, ImportError::Malformed { line, .. } if line == cut as u64 + 1), "{refused}");
    }
    let newer = vec![lines[0].replace('1', "2")];
    assert!(matches!(import(&newer).await, Err(ImportError::Format { format: 2 })));
}
