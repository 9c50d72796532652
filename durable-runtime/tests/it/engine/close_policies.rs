//! What becomes of a child without its parent, and what a parent hears of a child that never was: on memory and sled.

use durable_runtime::client::ResultError;
use durable_runtime::history::EventKind;
use durable_runtime::prelude::*;
use durable_runtime::providers::{CommitId, Transaction, TransactionOp};
use durable_runtime::{Client, ExecutionId, InstanceId, Limits};

use super::instances::waits_for_go;
use super::kit::{TestStore, each_store, end, soon, status_when};

#[derive(Debug, Clone, Copy, Serialize, Deserialize)]
enum Way {
    Awaited,
    Detached,
}

#[orchestration]
async fn has_a_child(ctx: OrchestrationContext, id: String, way: Way, policy: Option<ClosePolicy>) -> u32 {
    let mut child = cleans_up(&ctx).id(id);
    if let Some(policy) = policy {
        child = child.on_close(policy);
    }
    match way {
        Way::Awaited => select! {
            _ = child => 0,
            value = ctx.event_named::<u32>("go") => value,
        },
        Way::Detached => {
            child.detach().unwrap();
            ctx.event_named::<u32>("go").await
        }
    }
}

#[activity]
async fn tidies(id: String) -> String {
    id
}

#[orchestration]
async fn cleans_up(ctx: OrchestrationContext) -> u32 {
    ctx.on_cancel(tidies(&ctx, "tidied".into()));
    ctx.event_named::<u32>("go").await
}

async fn begun(test: &TestStore, id: &str) {
    status_when(&test.store, id, |status| status.status == Status::Running).await;
}

#[tokio::test]
async fn a_child_follows_its_policy_however_its_parent_ends() {
    use ClosePolicy::{Abandon, Cancel, Terminate};
    for test in each_store() {
        let runtime = test.runtime().start().await.unwrap();
        let client = runtime.client();
        let mut number = 0;
        for (way, policy, expected) in [
            (Way::Awaited, None, Status::Cancelled),
            (Way::Awaited, Some(Terminate), Status::Terminated),
            (Way::Awaited, Some(Abandon), Status::Running),
            (Way::Detached, None, Status::Running),
            (Way::Detached, Some(Cancel), Status::Cancelled),
            (Way::Detached, Some(Terminate), Status::Terminated),
        ] {
            for ending in ["return", "cancel", "terminate"] {
                number += 1;
                let child = format!("child {number}");
                let parent = has_a_child(&client, child.clone(), way, policy).start().await.unwrap();
                begun(&test, &child).await;
                match ending {
                    "return" => client.raise(parent.id(), "go", &1).await.unwrap(),
                    "cancel" => parent.cancel("over").await.unwrap(),
                    _ => parent.terminate("over").await.unwrap(),
                }
                let _ = soon(parent.result()).await;
                if expected == Status::Running {
                    assert_eq!(
                        client.status(&child).await.unwrap().status,
                        Status::Running,
                        "{way:?} {policy:?} {ending}"
                    );
                    client.raise(&child, "go", &5).await.unwrap();
                    assert_eq!(soon(client.handle::<cleans_up>(&child).unwrap().result()).await.unwrap(), 5);
                } else {
                    let ended = status_when(&test.store, &child, |status| status.status.is_closed()).await;
                    assert_eq!(ended.status, expected, "{way:?} {policy:?} {ending}");
                    let history = client.history(&child, ExecutionId::FIRST).await.unwrap();
                    let tidied = history.iter().any(|event| matches!(event.kind, EventKind::ActivityScheduled { .. }));
                    assert_eq!(tidied, expected == Status::Cancelled, "a cancelled child cleans up, and no other");
                }
            }
        }
        assert!(test.is_quiet().await, "nothing is left behind");
        end(runtime).await;
    }
}

#[orchestration]
async fn calls_itself_by_id(ctx: OrchestrationContext) -> Result<u32, ChildError> {
    waits_for_go(&ctx).id(ctx.instance_id()).await
}

#[orchestration]
async fn goes_deeper(ctx: OrchestrationContext, level: u32) -> Result<u32, ChildError<String>> {
    Box::pin(go_deeper(&ctx, level)).await
}

#[deterministic]
async fn go_deeper(ctx: &OrchestrationContext, level: u32) -> Result<u32, ChildError<String>> {
    match deeper(ctx, level + 1).await {
        Err(ChildError::Unavailable { .. }) => Ok(level),
        other => other,
    }
}

#[orchestration]
async fn deeper(ctx: OrchestrationContext, level: u32) -> Result<u32, String> {
    go_deeper(&ctx, level).await.map_err(|error| error.to_string())
}

#[tokio::test]
async fn a_child_that_can_never_end_is_refused_at_the_call() {
    let mut limits = Limits::default();
    limits.child_depth_max = 5;
    for test in each_store() {
        let runtime = test.runtime().limits(limits).start().await.unwrap();
        let client = runtime.client();
        let handle = calls_itself_by_id(&client).id("its own child").start().await.unwrap();
        let error = soon(handle.result()).await.unwrap_err();
        assert!(error.to_string().contains("cannot be its own child"), "{error}");
        let deep = goes_deeper(&client, 0).start().await.unwrap();
        assert_eq!(soon(deep.result()).await.unwrap(), 5);
        assert!(test.is_quiet().await);
        end(runtime).await;
    }
}

mod old_build {
    use super::*;

    #[orchestration(name = "changed_arguments", version = "2.0.0")]
    pub(super) async fn changed_arguments(_ctx: OrchestrationContext, count: u32, unit: String) -> u32 {
        count + u32::try_from(unit.len()).unwrap()
    }

    #[orchestration(name = "changed_arguments", version = "1.0.0")]
    pub(super) async fn without_unit(_ctx: OrchestrationContext, count: u32) -> u32 {
        count
    }
}

#[orchestration]
async fn calls_another_version(ctx: OrchestrationContext) -> Result<u32, ChildError> {
    old_build::without_unit(&ctx, 1).version("2.0.0").await
}

#[tokio::test]
async fn a_parent_hears_that_the_arguments_do_not_fit() {
    for test in each_store() {
        let runtime = test.runtime().start().await.unwrap();
        let handle = calls_another_version(&runtime.client()).start().await.unwrap();
        let error = soon(handle.result()).await.unwrap_err();
        let ResultError::Failed(ChildError::Codec { message }) = &error else { panic!("{error:?}") };
        assert!(message.contains("missing field `unit`"), "{message}");
        assert!(test.is_quiet().await);
        end(runtime).await;
    }
}

/// Takes an instance away as a forced deletion does.
async fn delete(test: &TestStore, id: &str) {
    let instance = InstanceId::new(id).unwrap();
    let ops = vec![TransactionOp::DeleteInstance { instance }];
    test.store.atomic_batch(Transaction { fence: None, commit_id: CommitId(77), ops }).await.unwrap();
}

#[tokio::test]
async fn a_child_whose_parent_is_gone_ends_and_leaves_nothing() {
    for test in each_store() {
        let runtime = test.runtime().start().await.unwrap();
        let client = runtime.client();
        has_a_child(&client, "orphan".into(), Way::Awaited, None).id("gone").start().await.unwrap();
        begun(&test, "orphan").await;
        delete(&test, "gone").await;
        client.raise("orphan", "go", &3).await.unwrap();
        let child = client.handle::<cleans_up>("orphan").unwrap();
        assert_eq!(soon(child.result()).await.unwrap(), 3);
        soon(async {
            while !test.is_quiet().await {
                tokio::task::yield_now().await;
            }
        })
        .await;
        assert!(client.status("gone").await.is_err());
        end(runtime).await;
    }
}

#[tokio::test]
async fn what_waits_for_its_start_is_cancelled_at_once_and_never_runs() {
    for test in each_store() {
        let runtime = test.runtime().start().await.unwrap();
        let client: Client = runtime.client();
        for (id, ending) in [("never cancelled", Status::Cancelled), ("never terminated", Status::Terminated)] {
            let start =
                cleans_up(&client).id(id).delay(Duration::from_secs(60)).if_exists(IfExists::TerminateAndRestart);
            let handle = start.start().await.unwrap();
            match ending {
                Status::Cancelled => handle.cancel("not today").await.unwrap(),
                _ => handle.terminate("not today").await.unwrap(),
            }
            assert!(soon(handle.result()).await.is_err());
            assert_eq!(handle.status().await.unwrap().status, ending);
            assert!(test.is_quiet().await, "its start is taken back");
            test.clock.advance(Duration::from_secs(120));
            assert_eq!(handle.history().await.unwrap().len(), 0);
        }
        end(runtime).await;
    }
}
