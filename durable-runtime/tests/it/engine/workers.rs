//! Who runs an activity: workers that know it, and serve its tag.

use durable_runtime::Provider as _;
use durable_runtime::prelude::*;

use super::kit::{end, gate, in_memory, soon};

#[activity]
async fn known_to_some(number: u32) -> u32 {
    number + 1
}

#[orchestration]
async fn calls_known_to_some(ctx: OrchestrationContext, number: u32) -> Result<u32, ActivityError> {
    known_to_some(&ctx, number).await
}

#[activity]
async fn known_to_all() -> u32 {
    1
}

#[orchestration]
async fn calls_known_to_all(ctx: OrchestrationContext) -> Result<u32, ActivityError> {
    known_to_all(&ctx).await
}

#[tokio::test]
async fn an_activity_without_a_worker_waits_for_a_build_that_has_it() {
    let folder = tempfile::tempdir().unwrap();
    let store = SledProvider::open(folder.path()).unwrap();
    let runtime = Runtime::builder(store.clone())
        .automatic_registration(false)
        .register::<calls_known_to_some>()
        .register::<calls_known_to_all>()
        .register_activity::<known_to_all>()
        .start()
        .await
        .unwrap();
    calls_known_to_some(&runtime.client(), 1).id("waits for a worker").start().await.unwrap();
    // A later one that can be run is not held up by it.
    soon(calls_known_to_all(&runtime.client()).start().await.unwrap().result()).await.unwrap();
    let stats = store.stats().await.unwrap();
    assert_eq!((stats.activities, stats.activities_leased), (1, 0));
    end(runtime).await;

    let runtime = Runtime::builder(SledProvider::open(folder.path()).unwrap()).start().await.unwrap();
    let handle = runtime.client().handle::<calls_known_to_some>("waits for a worker").unwrap();
    assert_eq!(soon(handle.result()).await.unwrap(), 2);
    end(runtime).await;
}

#[tokio::test]
async fn an_orchestration_that_nobody_can_run_waits_for_a_build_that_has_it() {
    let folder = tempfile::tempdir().unwrap();
    let store = SledProvider::open(folder.path()).unwrap();
    let outside = Client::new(store.clone());
    let waiting = super::instances::waits_for_go(&outside).id("waits for a build").start().await.unwrap();
    let hopeless = super::instances::waits_for_go(&outside).id("hopeless").start().await.unwrap();
    let runtime = Runtime::builder(store).automatic_registration(false).start().await.unwrap();
    let client = runtime.client();
    client.raise("waits for a build", "go", &7).await.unwrap();
    let status = client.status("waits for a build").await.unwrap();
    let report = status.suspended.expect("it says why it waits");
    assert!(report.contains("no orchestration `waits_for_go` of version 1.0.0 is registered"), "{report}");
    assert_eq!(waiting.status().await.unwrap().status, Status::Pending);
    soon(client.terminate("hopeless", "nobody runs it")).await.unwrap();
    assert_eq!(hopeless.status().await.unwrap().status, Status::Terminated);
    end(runtime).await;

    let runtime = Runtime::builder(SledProvider::open(folder.path()).unwrap()).start().await.unwrap();
    let client = runtime.client();
    let handle = client.handle::<super::instances::waits_for_go>("waits for a build").unwrap();
    assert_eq!(soon(handle.result()).await.unwrap(), 7);
    assert_eq!(client.status("hopeless").await.unwrap().status, Status::Terminated);
    end(runtime).await;
}

#[tokio::test]
async fn a_new_start_that_nobody_can_run_is_kept_for_who_can() {
    let folder = tempfile::tempdir().unwrap();
    let store = SledProvider::open(folder.path()).unwrap();
    let runtime = Runtime::builder(store.clone())
        .automatic_registration(false)
        .register::<calls_known_to_all>()
        .register_activity::<known_to_all>()
        .start()
        .await
        .unwrap();
    let first = calls_known_to_all(&runtime.client()).id("used again").start().await.unwrap();
    soon(first.result()).await.unwrap();
    let outside = Client::new(store);
    let policy = IfExists::RestartIfClosed;
    let again = calls_known_to_some(&outside, 1).id("used again").if_exists(policy).start();
    again.await.unwrap();
    // Refused if it is still closed, kept if the new start has been seen: both are fine, and neither may lose the start.
    let _either = runtime.client().raise("used again", "wakes it", &1).await;
    end(runtime).await;

    let store = SledProvider::open(folder.path()).unwrap();
    let runtime = Runtime::builder(store.clone()).start().await.unwrap();
    let client = runtime.client();
    super::kit::status_when(&store, "used again", |status| status.execution_id.0 == 2).await;
    let handle = client.handle::<calls_known_to_some>("used again").unwrap();
    assert_eq!(soon(handle.result()).await.unwrap(), 2);
    end(runtime).await;
}

#[activity(tag = "gpu")]
async fn needs_a_gpu(ctx: ActivityContext) -> String {
    gate(format!("gpu {}", ctx.instance_id())).count();
    "rendered".to_owned()
}

#[orchestration]
async fn renders(ctx: OrchestrationContext, tag: Option<String>) -> Result<String, ActivityError> {
    let call = needs_a_gpu(&ctx);
    match tag {
        Some(tag) => call.tag(tag).await,
        None => call.await,
    }
}

#[tokio::test]
async fn a_tagged_activity_waits_for_a_worker_that_serves_the_tag() {
    let store = MemoryProvider::new();
    let plain = Runtime::builder(store.clone()).start().await.unwrap();
    let by_attribute = renders(&plain.client(), None).id("by attribute").start().await.unwrap();
    let by_call = renders(&plain.client(), Some("tpu".into())).id("by call").start().await.unwrap();
    soon(calls_known_to_all(&plain.client()).start().await.unwrap().result()).await.unwrap();
    let stats = store.stats().await.unwrap();
    assert_eq!((stats.activities, stats.activities_leased), (2, 0));

    let served = Runtime::builder(store.clone()).serve_tag("gpu").start().await.unwrap();
    assert_eq!(soon(by_attribute.result()).await.unwrap(), "rendered");
    assert_eq!((gate("gpu by attribute").runs(), gate("gpu by call").runs()), (1, 0));
    let more = Runtime::builder(store).serve_tag("other").serve_tag("tpu").start().await.unwrap();
    assert_eq!(soon(by_call.result()).await.unwrap(), "rendered");
    end(plain).await;
    end(served).await;
    end(more).await;
}

#[activity]
async fn takes_a_place(name: String) {
    gate(name).pass().await;
}

#[orchestration]
async fn fills_places(ctx: OrchestrationContext, count: usize, name: String) -> usize {
    let calls = (0..count).map(|_| takes_a_place(&ctx, name.clone()));
    join_all(calls).await.into_iter().filter(Result::is_ok).count()
}

#[tokio::test]
async fn no_more_run_at_once_than_the_builder_says() {
    let store = MemoryProvider::new();
    let runtime = Runtime::builder(store.clone()).activities_max(3).start().await.unwrap();
    let handle = fills_places(&runtime.client(), 10, "places".into()).start().await.unwrap();
    for ended in 0..10 {
        gate("places").reached().await;
        assert!(gate("places").runs() <= ended + 3);
        gate("places").open();
    }
    assert_eq!(soon(handle.result()).await.unwrap(), 10);
    assert_eq!(store.stats().await.unwrap().activities, 0);
    end(runtime).await;
}

#[activity]
async fn in_a_session(step: u32) -> (u32, u32) {
    (step, std::process::id())
}

#[orchestration]
async fn keeps_a_session(ctx: OrchestrationContext) -> Result<bool, ActivityError> {
    let (first, second) = try_join!(in_a_session(&ctx, 1).session("files"), in_a_session(&ctx, 2).session("files"))?;
    Ok(first.1 == second.1)
}

#[tokio::test]
async fn activities_of_one_session_share_a_process_and_the_history_says_so() {
    let runtime = in_memory().await;
    let handle = keeps_a_session(&runtime.client()).start().await.unwrap();
    assert!(soon(handle.result()).await.unwrap());
    let sessions = handle.history().await.unwrap().into_iter().filter_map(|event| match event.kind {
        durable_runtime::history::EventKind::ActivityScheduled { settings, .. } => settings.session,
        _ => None,
    });
    assert_eq!(sessions.collect::<Vec<_>>(), ["files", "files"]);
    end(runtime).await;
}
