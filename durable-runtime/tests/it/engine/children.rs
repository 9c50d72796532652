//! Orchestrations that start orchestrations (I26).

use durable_runtime::client::{ReadError, ResultError};
use durable_runtime::prelude::*;
use futures_util::FutureExt as _;

use super::instances::waits_for_go;
use super::kit::{end, in_memory, soon, status_when};

#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, thiserror::Error)]
#[error("child of {0}")]
struct Sad(u32);

#[orchestration]
async fn child_of(ctx: OrchestrationContext, number: u32) -> Result<u32, Sad> {
    match number {
        0 => Err(Sad(0)),
        1 => panic!("the child panics"),
        2 => Ok(ctx.event_named::<u32>("go").await),
        3 => child_of(&ctx, 4).continue_as_new().await,
        number => Ok(number * 2),
    }
}

#[orchestration]
async fn parent_of(ctx: OrchestrationContext, number: u32, id: Option<String>) -> Result<u32, ChildError<Sad>> {
    let child = child_of(&ctx, number);
    match id {
        Some(id) => child.id(id).await,
        None => child.await,
    }
}

#[tokio::test]
async fn a_parent_gets_what_its_child_returns() {
    let runtime = in_memory().await;
    let client = runtime.client();
    let handle = parent_of(&client, 21, None).id("parent").start().await.unwrap();
    assert_eq!(soon(handle.result()).await.unwrap(), 42);
    let child = client.status("parent/1.1").await.unwrap();
    assert_eq!(child.parent.unwrap().instance.as_str(), "parent");
    let again = parent_of(&client, 3, None).start().await.unwrap();
    assert_eq!(soon(again.result()).await.unwrap(), 8, "also from a later execution of the child");
    end(runtime).await;
}

#[tokio::test]
async fn a_parent_hears_how_its_child_ended_otherwise() {
    let runtime = in_memory().await;
    let client = runtime.client();
    let failed = soon(parent_of(&client, 0, None).start().await.unwrap().result()).await.unwrap_err();
    assert!(matches!(failed, ResultError::Failed(ChildError::Failed(Sad(0)))), "{failed:?}");
    let panicked = soon(parent_of(&client, 1, None).start().await.unwrap().result()).await.unwrap_err();
    assert!(matches!(panicked, ResultError::Failed(ChildError::Panicked { .. })), "{panicked:?}");
    end(runtime).await;
}

#[tokio::test]
async fn a_parent_hears_that_its_child_was_cancelled_or_terminated() {
    let store = MemoryProvider::new();
    let runtime = Runtime::builder(store.clone()).start().await.unwrap();
    let client = runtime.client();
    let parent = parent_of(&client, 2, Some("cancelled child".into())).start().await.unwrap();
    status_when(&store, "cancelled child", |status| status.status == Status::Running).await;
    client.cancel("cancelled child", "by hand").await.unwrap();
    let error = soon(parent.result()).await.unwrap_err();
    assert!(matches!(&error, ResultError::Failed(ChildError::Cancelled { reason }) if reason == "by hand"));
    let parent = parent_of(&client, 2, Some("terminated child".into())).start().await.unwrap();
    status_when(&store, "terminated child", |status| status.status == Status::Running).await;
    client.terminate("terminated child", "by hand").await.unwrap();
    let error = soon(parent.result()).await.unwrap_err();
    assert!(matches!(&error, ResultError::Failed(ChildError::Terminated { reason }) if reason == "by hand"));
    end(runtime).await;
}

#[tokio::test]
async fn the_end_of_a_parent_cancels_its_child() {
    let store = MemoryProvider::new();
    let runtime = Runtime::builder(store.clone()).start().await.unwrap();
    let client = runtime.client();
    for (ending, child) in [("cancel", "left by a cancelled"), ("terminate", "left by a terminated")] {
        let parent = parent_of(&client, 2, Some(child.into())).start().await.unwrap();
        status_when(&store, child, |status| status.status == Status::Running).await;
        match ending {
            "cancel" => parent.cancel("over").await.unwrap(),
            _ => parent.terminate("over").await.unwrap(),
        }
        let ended = status_when(&store, child, |status| status.status.is_closed()).await;
        assert_eq!(ended.status, Status::Cancelled);
    }
    end(runtime).await;
}

#[tokio::test]
async fn an_id_that_is_taken_is_an_error_of_the_parent_and_harms_nobody() {
    let runtime = in_memory().await;
    let client = runtime.client();
    let owner = waits_for_go(&client).id("taken by a running").start().await.unwrap();
    let refused = parent_of(&client, 5, Some("taken by a running".into())).start().await.unwrap();
    let error = soon(refused.result()).await.unwrap_err();
    let taken = |error: &ResultError<ChildError<Sad>>| matches!(error, ResultError::Failed(ChildError::Unavailable { message }) if message.contains("is taken"));
    assert!(taken(&error), "{error:?}");
    owner.cancel("closed now").await.unwrap();
    let refused = parent_of(&client, 5, Some("taken by a running".into())).start().await.unwrap();
    let error = soon(refused.result()).await.unwrap_err();
    assert!(taken(&error), "{error:?}");
    assert_eq!(owner.status().await.unwrap().status, Status::Cancelled);
    end(runtime).await;
}

#[orchestration]
async fn drops_a_child(ctx: OrchestrationContext, id: String) -> u32 {
    let early = ctx.event_named::<u32>("early").await;
    select! {
        _ = child_of(&ctx, 2).id(id) => 0,
        late = async { ctx.event_named::<u32>("late").await } => early + late,
    }
}

#[tokio::test]
async fn a_parent_that_gives_up_a_child_whose_id_was_taken_harms_nobody() {
    let runtime = in_memory().await;
    let client = runtime.client();
    let owner = waits_for_go(&client).id("a stranger").start().await.unwrap();
    let parent = drops_a_child(&client, "a stranger".into()).id("hasty").start().await.unwrap();
    // Both events are there when the child is asked for: it is given up in the same turn.
    client.raise("hasty", "late", &1).await.unwrap();
    client.raise("hasty", "early", &1).await.unwrap();
    assert_eq!(soon(parent.result()).await.unwrap(), 2);
    let told = parent_of(&client, 5, Some("a stranger".into())).start().await.unwrap();
    soon(told.result()).await.unwrap_err();
    assert_eq!(owner.status().await.unwrap().status, Status::Running);
    client.raise("a stranger", "go", &7).await.unwrap();
    assert_eq!(soon(owner.result()).await.unwrap(), 7);
    end(runtime).await;
}

#[orchestration]
async fn detaches(ctx: OrchestrationContext, id: String) -> Result<String, ChildError> {
    Ok(waits_for_go(&ctx).id(id).detach()?.to_string())
}

#[orchestration]
async fn detaches_many(ctx: OrchestrationContext, children: u32) -> Vec<String> {
    let detached = (0..children).map(|number| child_of(&ctx, 10 + number).id(format!("many-{number}")).detach());
    detached.map(|id| id.unwrap().to_string()).collect()
}

#[tokio::test]
async fn a_child_can_be_asked_for_as_soon_as_its_parent_says_so() {
    let runtime = in_memory().await;
    let client = runtime.client();
    let parent = detaches_many(&client, 50).start().await.unwrap();
    for (id, number) in soon(parent.result()).await.unwrap().into_iter().zip(10..) {
        // Its start may wait for its first turn still.
        let status = client.status(&id).await.unwrap();
        assert_eq!((status.name.as_str(), status.parent.unwrap().instance), ("child_of", parent.id().clone()));
        let child = client.handle::<child_of>(&id).unwrap();
        assert_eq!(soon(child.result()).await.unwrap(), number * 2);
    }
    let unknown = client.handle::<child_of>("many-50").unwrap();
    assert!(matches!(soon(unknown.result()).await.unwrap_err(), ResultError::Read(ReadError::NotFound(_))));
    client.raise("many-50", "go", &1).await.unwrap();
    let raised = client.status("many-50").await.unwrap_err();
    assert!(matches!(raised, ReadError::NotFound(_)), "an event before the start is no start: {raised}");
    end(runtime).await;
}

#[tokio::test]
async fn what_a_client_of_the_store_alone_has_started_waits_for_a_runtime() {
    let store = MemoryProvider::new();
    let handle = child_of(&Client::new(store.clone()), 21).start().await.unwrap();
    assert_eq!(handle.status().await.unwrap().status, Status::Pending);
    let mut result = std::pin::pin!(handle.result());
    assert!((&mut result).now_or_never().is_none());
    let runtime = Runtime::builder(store).start().await.unwrap();
    assert_eq!(soon(result).await.unwrap(), 42);
    end(runtime).await;
}

#[tokio::test]
async fn a_detached_child_outlives_its_parent() {
    let store = MemoryProvider::new();
    let runtime = Runtime::builder(store.clone()).start().await.unwrap();
    let client = runtime.client();
    let parent = detaches(&client, "detached".into()).start().await.unwrap();
    assert_eq!(soon(parent.result()).await.unwrap(), "detached");
    status_when(&store, "detached", |status| status.status == Status::Running).await;
    client.raise("detached", "go", &7).await.unwrap();
    let child = client.handle::<waits_for_go>("detached").unwrap();
    assert_eq!(soon(child.result()).await.unwrap(), 7);
    let refused = detaches(&client, String::new()).start().await.unwrap();
    let error = soon(refused.result()).await.unwrap_err();
    assert!(matches!(&error, ResultError::Failed(ChildError::Unavailable { message }) if message.contains("empty")));
    end(runtime).await;
}

#[orchestration]
async fn asks_for_a_version(ctx: OrchestrationContext) -> Result<u32, ChildError<Sad>> {
    child_of(&ctx, 5).version("9.9.9").await
}

#[tokio::test]
async fn a_version_that_nobody_has_is_an_error_of_the_parent() {
    let runtime = in_memory().await;
    let handle = asks_for_a_version(&runtime.client()).start().await.unwrap();
    let error = soon(handle.result()).await.unwrap_err();
    let ResultError::Failed(ChildError::Unavailable { message }) = error else { panic!("{error:?}") };
    assert!(message.contains("no orchestration `child_of` of version 9.9.9"), "{message}");
    assert!(message.contains("versions of `child_of` here: 1.0.0"), "{message}");
    end(runtime).await;
}

#[orchestration]
async fn fans_out(ctx: OrchestrationContext, count: u32) -> u32 {
    let children = (4..4 + count).map(|number| child_of(&ctx, number));
    join_all(children).await.into_iter().filter_map(Result::ok).sum()
}

#[tokio::test]
async fn many_children_run_side_by_side() {
    let runtime = in_memory().await;
    let handle = fans_out(&runtime.client(), 100).start().await.unwrap();
    assert_eq!(soon(handle.result()).await.unwrap(), (4..104).map(|number| number * 2).sum::<u32>());
    end(runtime).await;
}
