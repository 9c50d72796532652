//! Several runtimes on one store that cannot all run the same: each takes what it can, and leaves the rest alone.

use std::sync::Arc;

use durable_runtime::history::{Event as HistoryEvent, EventKind};
use durable_runtime::prelude::*;
use durable_runtime::testing::ManualClock;
use durable_runtime::{ExecutionId, InstanceId, Provider, RuntimeBuilder};

use super::counted::Counted;
use super::kit::{TestStore, end, soon};

#[orchestration(name = "on one node")]
async fn on_one_node(ctx: OrchestrationContext) -> Vec<u32> {
    let first = ctx.event_named("number").await;
    ctx.timer(Duration::from_secs(5)).await;
    vec![first, ctx.event_named("number").await]
}

#[orchestration(name = "on one node", version = "2.0.0")]
async fn on_one_node_2(ctx: OrchestrationContext) -> Vec<u32> {
    let numbers = on_one_node(&ctx).id(format!("child of {}", ctx.instance_id())).await;
    numbers.unwrap_or_default()
}

#[orchestration]
async fn moves_to_the_other_node(ctx: OrchestrationContext) -> Vec<u32> {
    on_one_node(&ctx).continue_as_new().await
}

#[orchestration]
async fn waits_for_a_number(ctx: OrchestrationContext) -> u32 {
    ctx.event_named("number").await
}

/// Stores that two runtimes use at once.
fn shared_stores() -> Vec<TestStore> {
    let clock = ManualClock::new();
    let memory = TestStore::of(Arc::new(MemoryProvider::with_clock(clock.clone())), clock);
    #[cfg(feature = "sqlite")]
    let sqlite = {
        let (clock, folder) = (ManualClock::new(), tempfile::tempdir().unwrap());
        let store = SqliteProvider::options().clock(clock.clone()).open(folder.path().join("store")).unwrap();
        TestStore::of(Arc::new(store), clock).in_folder(folder)
    };
    vec![
        memory,
        #[cfg(feature = "sqlite")]
        sqlite,
    ]
}

/// Two runtimes on a store: one without the handlers that a test is about, and the instances that it was handed.
struct Nodes {
    test: TestStore,
    without: Runtime,
    handed: Counted<Arc<dyn Provider>>,
}

impl Nodes {
    async fn of(test: TestStore, without: impl Fn(RuntimeBuilder) -> RuntimeBuilder) -> Self {
        let handed = Counted::new(Arc::clone(&test.store));
        let builder = without(Runtime::builder(handed.clone()).automatic_registration(false));
        Self { without: builder.start().await.unwrap(), test, handed }
    }

    async fn with(&self) -> Runtime {
        self.test.runtime().start().await.unwrap()
    }

    /// Waits until an execution waits for its timer.
    async fn timer_is_set(&self, id: &str, execution_id: ExecutionId) {
        let client = Client::new(Arc::clone(&self.test.store));
        let is_set = |event: &HistoryEvent| matches!(event.kind, EventKind::TimerSet { .. });
        soon(async {
            while !client.history(id, execution_id).await.is_ok_and(|history| history.iter().any(is_set)) {
                tokio::task::yield_now().await;
            }
        })
        .await;
    }

    /// Through the node that cannot run it.
    async fn raise(&self, id: &str, number: u32) {
        self.without.client().raise(id, "number", &number).await.unwrap();
    }
}

#[tokio::test]
async fn the_node_that_has_the_handler_gets_it_at_once() {
    for test in shared_stores() {
        let nodes = Nodes::of(test, |builder| builder).await;
        let with = nodes.with().await;
        // Through the store, the other node, and the one that can run it: no time passes, so nothing may wait for any.
        let outside = Client::new(Arc::clone(&nodes.test.store));
        let through_store = on_one_node(&outside).id("through the store").start().await.unwrap();
        on_one_node(&with.client()).id("at home").start().await.unwrap();
        for id in ["through the store", "at home"] {
            nodes.raise(id, 1).await;
            nodes.timer_is_set(id, ExecutionId::FIRST).await;
        }
        nodes.test.clock.advance(Duration::from_secs(5));
        nodes.raise("through the store", 2).await;
        outside.raise("at home", "number", &3).await.unwrap();
        assert_eq!(soon(through_store.result()).await.unwrap(), [1, 2]);
        let at_home = outside.handle::<on_one_node>("at home").unwrap();
        assert_eq!(soon(at_home.result()).await.unwrap(), [1, 3]);
        let handed = ["through the store", "at home"].map(|id| nodes.handed.turns_of_any(id));
        assert_eq!(handed, [0, 0], "{}", nodes.test.store.capabilities().name);
        end(with).await;
        end(nodes.without).await;
    }
}

#[tokio::test]
async fn each_version_and_each_child_goes_to_the_node_that_has_it() {
    for test in shared_stores() {
        let shared = test.store.capabilities().shared;
        let nodes = Nodes::of(test, |builder| builder.register::<on_one_node_2>()).await;
        let first = nodes.test.runtime().automatic_registration(false).register::<on_one_node>();
        let first = first.register::<moves_to_the_other_node>().start().await.unwrap();
        let moved = moves_to_the_other_node(&first.client()).id("moved").start().await.unwrap();
        let mut ids = vec!["moved"];
        let parent = on_one_node_2(&nodes.without.client()).id("parent").start().await.unwrap();
        if shared {
            ids.push("child of parent");
        }
        for id in &ids {
            nodes.raise(id, 7).await;
            nodes.timer_is_set(id, if *id == "moved" { ExecutionId(2) } else { ExecutionId::FIRST }).await;
        }
        nodes.test.clock.advance(Duration::from_secs(5));
        for id in &ids {
            nodes.raise(id, 8).await;
        }
        assert_eq!(soon(moved.result()).await.unwrap(), [7, 8]);
        if shared {
            assert_eq!(soon(parent.result()).await.unwrap(), [7, 8]);
        }
        assert_eq!(nodes.handed.turns_of_any("moved"), 0);
        end(first).await;
        end(nodes.without).await;
    }
}

#[tokio::test]
async fn what_nobody_can_run_is_reported_and_can_be_ended() {
    for test in shared_stores() {
        let nodes = Nodes::of(test, |builder| builder.lease(Duration::from_millis(10))).await;
        let outside = Client::new(Arc::clone(&nodes.test.store));
        let hopeless = on_one_node(&outside).id("hopeless").start().await.unwrap();
        let client = nodes.without.client();
        let missing = "no orchestration `on one node` of version 1.0.0 is registered";
        assert!(client.status("hopeless").await.unwrap().suspended.unwrap().contains(missing));
        assert!(client.why("hopeless").await.unwrap().missing_handler.unwrap().contains(missing));
        assert_eq!(client.suspended("hopeless").unwrap(), None, "perhaps somebody else takes it");
        nodes.test.clock.advance(Duration::from_secs(1));
        let report = soon(async {
            loop {
                if let Some(report) = client.suspended("hopeless").unwrap() {
                    return report;
                }
                tokio::task::yield_now().await;
            }
        });
        assert!(report.await.contains(missing));
        assert_eq!(nodes.without.metrics().await.suspended, 1);
        assert_eq!(nodes.handed.turns_of_any("hopeless"), 0);
        // Ending it needs no handler.
        outside.terminate("hopeless", "nobody has it").await.unwrap();
        let ended = soon(hopeless.result()).await.unwrap_err();
        assert!(ended.to_string().contains("nobody has it"), "{ended}");
        let stats = nodes.test.store.stats().await.unwrap();
        assert_eq!((stats.turn_messages, stats.turns_leased), (0, 0), "its start went with it");
        soon(async {
            while nodes.without.metrics().await.suspended != 0 {
                tokio::task::yield_now().await;
            }
        })
        .await;
        end(nodes.without).await;
    }
}

#[tokio::test]
async fn a_history_of_a_newer_format_is_left_to_a_newer_build() {
    let older = TestStore::of(Arc::new(MemoryProvider::new()), ManualClock::new());
    let runtime = older.runtime().keep_store_open().start().await.unwrap();
    on_one_node(&runtime.client()).id("newer").start().await.unwrap();
    runtime.client().raise("newer", "number", &1).await.unwrap();
    end(runtime).await;
    let (older_client, mut lines) = (Client::new(Arc::clone(&older.store)), Vec::new());
    older_client.export(older_client.query()).write_to(&mut lines).await.unwrap();
    let lines = String::from_utf8(lines).unwrap();
    let newer = lines.replace(r#"\"format\":1"#, r#"\"format\":9"#);
    assert_ne!(newer, lines);
    let labelled = newer.replace("1 1.0.0 on one node", "9 1.0.0 on one node");
    assert_ne!(newer, labelled);
    for (lines, handed_out) in [(newer, 1), (labelled, 0)] {
        let store = Counted::new(MemoryProvider::new());
        Client::new(store.clone()).import().read_from(lines.as_bytes()).await.unwrap();
        let runtime = Runtime::builder(store.clone()).start().await.unwrap();
        let client = runtime.client();
        for number in [2, 3] {
            client.raise("newer", "number", &number).await.unwrap();
        }
        let report = client.status("newer").await.unwrap().suspended.unwrap();
        assert_eq!(report, "its history is of format 9, and this build reads formats up to 1");
        assert!(store.turns_of_any("newer") <= handed_out, "it is passed over");
        let record = store.instance(&InstanceId::new("newer").unwrap()).await.unwrap().unwrap();
        assert_eq!(record.labels["durable.needs"], "9 1.0.0 on one node");
        let history = client.history("newer", ExecutionId::FIRST).await.unwrap();
        assert_eq!(history.len(), 4, "nothing was added");
        end(runtime).await;
    }
}

#[tokio::test]
async fn what_nobody_can_run_is_reported_beside_many_that_are_suspended_from_outside() {
    let test = shared_stores().remove(0);
    let store = Arc::clone(&test.store);
    let briefly = |builder: RuntimeBuilder| {
        builder.register::<waits_for_a_number>().lease(Duration::from_millis(10)).double_check(false)
    };
    let nodes = Nodes::of(test, briefly).await;
    let (client, outside) = (nodes.without.client(), Client::new(store));
    // More than are reported at once, and all of them have waited for longer.
    for id in (0..1_001).map(|number| format!("suspended {number}")) {
        waits_for_a_number(&client).id(&id).start().await.unwrap();
        client.suspend(&id).await.unwrap();
        outside.raise(&id, "number", &1).await.unwrap();
    }
    nodes.test.clock.advance(Duration::from_secs(1));
    on_one_node(&outside).id("hopeless").start().await.unwrap();
    nodes.test.clock.advance(Duration::from_secs(1));
    soon(async {
        while client.suspended("hopeless").unwrap().is_none() {
            tokio::task::yield_now().await;
        }
    })
    .await;
    end(nodes.without).await;
}
