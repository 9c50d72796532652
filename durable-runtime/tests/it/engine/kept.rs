//! Values by key and labels: kept with the turn, live for clients, over executions and restarts, and gone with a new life.

use durable_runtime::client::{ReadError, StartError};
use durable_runtime::prelude::*;
use durable_runtime::{ExecutionId, Limits, Status};

use super::kit::{SOON, each_store, end, soon, status_when};

#[derive(Event, Serialize, Deserialize)]
struct Deposit(u64);

#[orchestration]
async fn saves(ctx: OrchestrationContext, left: u32) -> Option<u64> {
    if left == 0 {
        return ctx.kv().get("balance").unwrap();
    }
    let deposit = ctx.event::<Deposit>().await.0;
    let balance = ctx.kv().get::<u64>("balance").unwrap().unwrap_or_default() + deposit;
    ctx.kv().set("balance", &balance).unwrap();
    ctx.labels().set("rich", if balance > 10 { "yes" } else { "no" }).unwrap();
    ctx.timer(Duration::ZERO).await;
    saves(&ctx, left - 1).continue_as_new().await
}

#[tokio::test]
async fn values_and_labels_live_over_executions_and_clients_see_them() {
    for test in each_store() {
        let runtime = test.runtime().start().await.unwrap();
        let client = runtime.client();
        let handle = saves(&client, 40).id("saver").label("owner", "ada").start().await.unwrap();
        assert_eq!(handle.kv::<u64>("balance").await.unwrap(), None);
        handle.raise(Deposit(1)).await.unwrap();
        status_when(&test.store, "saver", |status| status.execution_id == ExecutionId(2)).await;
        assert_eq!(handle.kv::<u64>("balance").await.unwrap(), Some(1));
        assert!(matches!(handle.kv::<String>("balance").await, Err(ReadError::Codec(_))));
        assert!(matches!(handle.kv::<u64>("").await, Err(ReadError::Id(_))));
        assert!(matches!(client.kv::<u64>("nobody", "balance").await, Err(ReadError::NotFound(_))));
        let found = || client.list().label("owner", "ada").label("rich", "no").page();
        assert_eq!(found().await.unwrap().instances.len(), 1);
        for _ in 0..39 {
            handle.raise(Deposit(1)).await.unwrap();
        }
        assert_eq!(soon(handle.result()).await.unwrap(), Some(40));
        assert_eq!(handle.kv::<u64>("balance").await.unwrap(), Some(40), "also after the end");
        assert!(found().await.unwrap().instances.is_empty());
        assert_eq!(handle.status().await.unwrap().labels.len(), 2);
        end(runtime).await;
    }
}

#[tokio::test]
async fn a_new_life_of_an_id_begins_with_nothing() {
    for test in each_store() {
        let runtime = test.runtime().start().await.unwrap();
        let client = runtime.client();
        let again = |policy| saves(&client, 1).id("reborn").if_exists(policy).label("life", "new").start();
        let first = saves(&client, 1).id("reborn").label("life", "old").label("first", "yes").start().await.unwrap();
        first.raise(Deposit(50)).await.unwrap();
        assert_eq!(soon(first.result()).await.unwrap(), Some(50));
        for policy in [IfExists::RestartIfClosed, IfExists::TerminateAndRestart] {
            let handle = again(policy).await.unwrap();
            assert_eq!(handle.kv::<u64>("balance").await.unwrap(), None, "{policy:?}");
            let labels = handle.status().await.unwrap().labels;
            assert_eq!(labels.into_iter().collect::<Vec<_>>(), [("life".to_owned(), "new".to_owned())], "{policy:?}");
            if policy == IfExists::RestartIfClosed {
                // It has something again, and is ended while it runs.
                let spare = saves(&client, 2).id("reborn").if_exists(IfExists::TerminateAndRestart);
                let handle = spare.label("spare", "yes").start().await.unwrap();
                handle.raise(Deposit(20)).await.unwrap();
                status_when(&test.store, "reborn", |status| status.labels.contains_key("rich")).await;
            } else {
                handle.raise(Deposit(3)).await.unwrap();
                assert_eq!(soon(handle.result()).await.unwrap(), Some(3));
            }
        }
        end(runtime).await;
    }
}

#[orchestration]
async fn reads_after_a_while(ctx: OrchestrationContext, begun: bool) -> (Option<String>, Option<String>) {
    if !begun {
        ctx.kv().set("kept", "from the first execution").unwrap();
        ctx.labels().set("kept", "label").unwrap();
        return reads_after_a_while(&ctx, true).continue_as_new().await;
    }
    let before = ctx.kv().get::<String>("kept").unwrap();
    ctx.kv().set("kept", "changed").unwrap();
    ctx.event_named::<u32>("go").await;
    assert_eq!(ctx.kv().get::<String>("kept").unwrap().as_deref(), Some("changed"));
    (before, ctx.labels().get("kept"))
}

#[tokio::test]
async fn a_replay_after_a_restart_reads_what_was_read_before() {
    let folder = tempfile::tempdir().unwrap();
    let open = || async {
        Runtime::builder(SledProvider::open(folder.path()).unwrap()).double_check(true).start().await.unwrap()
    };
    let runtime = open().await;
    reads_after_a_while(&runtime.client(), false).id("reader").start().await.unwrap();
    runtime.shutdown(SOON).await;
    let runtime = open().await;
    let handle = runtime.client().handle::<reads_after_a_while>("reader").unwrap();
    assert_eq!(handle.kv::<String>("kept").await.unwrap().as_deref(), Some("changed"));
    runtime.client().raise("reader", "go", &1).await.unwrap();
    let expected = (Some("from the first execution".to_owned()), Some("label".to_owned()));
    assert_eq!(soon(handle.result()).await.unwrap(), expected);
    end(runtime).await;
}

#[tokio::test]
async fn too_many_labels_are_refused_before_anything_is_kept() {
    let mut limits = Limits::default();
    limits.labels_max = 2;
    for test in each_store() {
        let runtime = test.runtime().limits(limits).start().await.unwrap();
        let client = runtime.client();
        let labelled =
            |count: u32| (0..count).fold(saves(&client, 0).id("labelled"), |start, n| start.label(n.to_string(), "x"));
        assert!(matches!(labelled(3).start().await, Err(StartError::TooManyLabels { count: 3, most: 2 })));
        assert!(client.status("labelled").await.is_err());
        let handle = labelled(2).start().await.unwrap();
        soon(handle.result()).await.unwrap();
        assert_eq!(handle.status().await.unwrap().status, Status::Completed);
        end(runtime).await;
    }
}
