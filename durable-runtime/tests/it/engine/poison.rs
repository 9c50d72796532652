//! Turns that kill their process: given up after so many of them, while the others run.

use std::path::{Path, PathBuf};
use std::process::{Command, Stdio};

use durable_runtime::client::ResultError;
use durable_runtime::history::{EventKind, validate};
use durable_runtime::prelude::*;
use durable_runtime::{Client, Limits};

use super::kit::{end, soon};

/// Where the process works that dies; a process without it is no such process.
const FOLDER: &str = "DURABLE_POISON_FOLDER";
const DELIVERIES: u32 = 3;

#[orchestration]
async fn kills_its_process(ctx: OrchestrationContext, at_once: bool) -> u32 {
    if !at_once {
        ctx.event_named::<u32>("die").await;
    }
    ctx.side_effect("dies", dies_here)
}

/// What a stack overflow does, or too much memory.
fn dies_here() -> u32 {
    if std::env::var_os(FOLDER).is_some() {
        std::process::abort();
    }
    1
}

#[orchestration]
async fn calls_a_killer(ctx: OrchestrationContext) -> Result<u32, ChildError> {
    kills_its_process(&ctx, true).id("deadly child").await
}

#[orchestration]
async fn is_harmless(ctx: OrchestrationContext) -> u32 {
    ctx.event_named::<u32>("go").await
}

fn limits() -> Limits {
    let mut limits = Limits::default();
    limits.deliveries_max = DELIVERIES;
    limits
}

const ALL: [&str; 5] = ["deadly at once", "deadly later", "parent", "harmless 1", "harmless 2"];

/// Runs all until they have ended, and dies of some of them.
#[test]
fn dies_of_some_turns() {
    let Some(folder) = std::env::var_os(FOLDER).map(PathBuf::from) else { return };
    tokio::runtime::Runtime::new().unwrap().block_on(async {
        let runtime = Runtime::builder(SledProvider::open(folder).unwrap()).limits(limits()).start().await.unwrap();
        for id in ALL {
            // How they end is looked at by who started this process.
            let _ = runtime.client().handle::<kills_its_process>(id).unwrap().result().await;
        }
        end(runtime).await;
    });
}

/// Whether the process came to its end.
fn survives(folder: &Path) -> bool {
    let mut command = Command::new(std::env::current_exe().unwrap());
    command.args(["engine::poison::dies_of_some_turns", "--exact", "--nocapture"]).env(FOLDER, folder);
    command.stdout(Stdio::null()).stderr(Stdio::null()).status().unwrap().success()
}

#[tokio::test]
async fn a_turn_that_kills_its_process_is_given_up_and_the_others_run() {
    let folder = tempfile::tempdir().unwrap();
    let store = SledProvider::open(folder.path()).unwrap();
    let outside = Client::new(store.clone());
    let later = kills_its_process(&outside, false).id("deadly later").start().await.unwrap();
    for id in ["harmless 1", "harmless 2"] {
        is_harmless(&outside).id(id).start().await.unwrap();
        outside.raise(id, "go", &5).await.unwrap();
    }
    let runtime = Runtime::builder(store).limits(limits()).start().await.unwrap();
    while later.history().await.unwrap().len() < 2 {
        tokio::task::yield_now().await;
    }
    end(runtime).await;

    let store = SledProvider::open(folder.path()).unwrap();
    let outside = Client::new(store.clone());
    outside.raise("deadly later", "die", &1).await.unwrap();
    kills_its_process(&outside, true).id("deadly at once").start().await.unwrap();
    calls_a_killer(&outside).id("parent").start().await.unwrap();
    durable_runtime::Provider::close(&store).await;
    drop((store, outside, later));

    let deaths = (0..40).take_while(|_| !survives(folder.path())).count();
    assert!((1..40).contains(&deaths), "{deaths} deaths");

    let runtime = Runtime::builder(SledProvider::open(folder.path()).unwrap()).start().await.unwrap();
    let client = runtime.client();
    for id in ["deadly at once", "deadly later", "deadly child"] {
        let handle = client.handle::<kills_its_process>(id).unwrap();
        let error = soon(handle.result()).await.unwrap_err();
        assert!(matches!(&error, ResultError::Stopped { message } if message.contains("died")), "{id}: {error}");
        assert_eq!(handle.status().await.unwrap().status, Status::Failed);
        let history = handle.history().await.unwrap();
        assert_eq!(validate(&history), Ok(()), "{id}");
        let begun = id == "deadly later";
        assert_eq!(history.last().is_some_and(|event| matches!(event.kind, EventKind::Poisoned { .. })), begun, "{id}");
    }
    let error = soon(client.handle::<calls_a_killer>("parent").unwrap().result()).await.unwrap_err();
    assert!(matches!(&error, ResultError::Failed(ChildError::Unavailable { .. })), "{error}");
    for id in ["harmless 1", "harmless 2"] {
        assert_eq!(soon(client.handle::<is_harmless>(id).unwrap().result()).await.unwrap(), 5, "{id}");
    }
    // When the cause is mended, it can be run again.
    let again = client.handle::<kills_its_process>("deadly at once").unwrap();
    let restarted = kills_its_process(&client, true).id("deadly at once").if_exists(IfExists::RestartIfClosed);
    restarted.start().await.unwrap();
    assert_eq!(soon(again.result()).await.unwrap(), 1);
    end(runtime).await;
}
