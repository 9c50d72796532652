//! The life of a runtime: several at once, on any tokio, and nothing left after it (I37).

use std::sync::Arc;
use std::time::Instant;

use durable_runtime::Provider as _;
use durable_runtime::client::{MessageError, StartError};
use durable_runtime::prelude::*;

use super::instances::waits_for_go;
use super::kit::{SOON, end, gate, in_memory, soon};

#[activity]
async fn passes_a_gate(name: String) -> String {
    gate(name.clone()).pass().await;
    name
}

#[orchestration]
async fn waits_at_gates(ctx: OrchestrationContext, names: Vec<String>) -> Vec<String> {
    let calls = names.into_iter().map(|name| passes_a_gate(&ctx, name));
    join_all(calls).await.into_iter().filter_map(Result::ok).collect()
}

async fn runs_through(runtime: Runtime, name: &str) {
    gate(name).open_for_all();
    let handle = waits_at_gates(&runtime.client(), vec![name.to_owned(); 20]).start().await.unwrap();
    assert_eq!(soon(handle.result()).await.unwrap().len(), 20);
    end(runtime).await;
}

#[tokio::test(flavor = "current_thread")]
async fn it_runs_on_one_thread() {
    runs_through(in_memory().await, "one thread").await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn it_runs_on_many_threads() {
    runs_through(in_memory().await, "many threads").await;
}

#[tokio::test]
async fn runtimes_on_different_stores_do_not_see_each_other() {
    let (left, right) = (in_memory().await, in_memory().await);
    let of_left = waits_for_go(&left.client()).id("same id").start().await.unwrap();
    let of_right = waits_for_go(&right.client()).id("same id").start().await.unwrap();
    left.client().raise("same id", "go", &1).await.unwrap();
    assert_eq!(soon(of_left.result()).await.unwrap(), 1);
    assert_eq!(of_right.status().await.unwrap().status, Status::Running);
    end(left).await;
    right.client().raise("same id", "go", &2).await.unwrap();
    assert_eq!(soon(of_right.result()).await.unwrap(), 2);
    end(right).await;
}

#[tokio::test]
async fn after_a_shutdown_clients_are_told() {
    let runtime = in_memory().await;
    let client = runtime.client();
    let handle = waits_for_go(&client).id("shut down").start().await.unwrap();
    end(runtime).await;
    assert!(matches!(waits_for_go(&client).start().await, Err(StartError::ShuttingDown)));
    assert!(matches!(handle.cancel("").await, Err(MessageError::ShuttingDown)));
    assert!(handle.status().await.is_err());
}

#[tokio::test]
async fn a_shutdown_lets_running_activities_end_and_keeps_their_results() {
    let folder = tempfile::tempdir().unwrap();
    let runtime = Runtime::builder(SledProvider::open(folder.path()).unwrap()).start().await.unwrap();
    let names: Vec<String> = (0..50).map(|number| format!("drained {number}")).collect();
    waits_at_gates(&runtime.client(), names.clone()).id("drained").start().await.unwrap();
    for name in &names {
        gate(name.clone()).reached().await;
    }
    let shutdown = tokio::spawn(runtime.shutdown(SOON));
    for name in &names {
        tokio::task::yield_now().await;
        gate(name.clone()).open();
    }
    soon(shutdown).await.unwrap();

    let runtime = Runtime::builder(SledProvider::open(folder.path()).unwrap()).start().await.unwrap();
    names.iter().for_each(|name| gate(name.clone()).open());
    let handle = runtime.client().handle::<waits_at_gates>("drained").unwrap();
    assert_eq!(soon(handle.result()).await.unwrap(), names);
    let runs: Vec<u32> = names.iter().map(|name| gate(name.clone()).runs()).collect();
    assert_eq!(runs, vec![1; 50], "what ended before the deadline does not run again");
    end(runtime).await;
}

#[tokio::test]
async fn a_shutdown_stops_at_its_deadline_and_the_next_start_runs_the_rest() {
    let folder = tempfile::tempdir().unwrap();
    let runtime = Runtime::builder(SledProvider::open(folder.path()).unwrap()).start().await.unwrap();
    waits_at_gates(&runtime.client(), vec!["stopped".into()]).id("stopped").start().await.unwrap();
    gate("stopped").reached().await;
    let begun = Instant::now();
    soon(runtime.shutdown(Duration::from_millis(50))).await;
    assert!(begun.elapsed() >= Duration::from_millis(50));
    let runtime = Runtime::builder(SledProvider::open(folder.path()).unwrap()).start().await.unwrap();
    gate("stopped").reached().await;
    gate("stopped").open();
    let handle = runtime.client().handle::<waits_at_gates>("stopped").unwrap();
    assert_eq!(soon(handle.result()).await.unwrap(), ["stopped"]);
    assert_eq!(gate("stopped").runs(), 2);
    end(runtime).await;
}

#[tokio::test]
async fn a_store_can_be_opened_as_soon_as_the_shutdown_is_over() {
    let folder = tempfile::tempdir().unwrap();
    for round in 1..=10 {
        let runtime = Runtime::builder(SledProvider::open(folder.path()).unwrap()).start().await.unwrap();
        let policy = IfExists::TerminateAndRestart;
        let handle = waits_for_go(&runtime.client()).id("reopened").if_exists(policy).start().await.unwrap();
        assert_eq!(handle.status().await.unwrap().execution_id.0, round);
        end(runtime).await;
    }
}

#[tokio::test]
async fn a_dropped_runtime_lets_go_of_what_it_had() {
    let store = MemoryProvider::new();
    let runtime = Runtime::builder(store.clone()).start().await.unwrap();
    let handle = waits_at_gates(&runtime.client(), vec!["dropped".into()]).start().await.unwrap();
    gate("dropped").reached().await;
    let alive = Arc::downgrade(&gate("dropped"));
    drop(runtime);
    // The body is dropped by tokio; the store answers on.
    assert!(alive.upgrade().is_some());
    assert_eq!(store.stats().await.unwrap().instances, 1);
    assert!(matches!(handle.cancel("").await, Err(MessageError::ShuttingDown)));
    store.close().await;
    store.close().await;
}

/// The threads of this process that belong to engines and stores.
#[cfg(target_os = "linux")]
fn durable_threads() -> Vec<String> {
    let names = std::fs::read_dir("/proc/self/task").unwrap().filter_map(|task| {
        let name = std::fs::read_to_string(task.ok()?.path().join("comm")).ok()?;
        Some(name.trim().to_owned())
    });
    names.filter(|name| name.starts_with("durable")).collect()
}

/// In a process of its own, where no other test has threads.
#[cfg(target_os = "linux")]
#[test]
fn no_thread_is_left_after_a_shutdown() {
    const ALONE: &str = "DURABLE_TEST_ALONE";
    if std::env::var_os(ALONE).is_none() {
        let name = "engine::runtimes::no_thread_is_left_after_a_shutdown";
        let mut alone = std::process::Command::new(std::env::current_exe().unwrap());
        let output = alone.args([name, "--exact", "--nocapture"]).env(ALONE, "1").output().unwrap();
        assert!(output.status.success(), "{}", String::from_utf8_lossy(&output.stderr));
        return;
    }
    let tokio = tokio::runtime::Runtime::new().unwrap();
    for round in 0..20 {
        tokio.block_on(async {
            let (folder, name) = (tempfile::tempdir().unwrap(), format!("threads {round}"));
            let runtime = Runtime::builder(SledProvider::open(folder.path()).unwrap()).start().await.unwrap();
            gate(name.clone()).open();
            let handle = waits_at_gates(&runtime.client(), vec![name]).start().await.unwrap();
            soon(handle.result()).await.unwrap();
            assert!(durable_threads().len() >= 3, "{:?}", durable_threads());
            end(runtime).await;
        });
        assert_eq!(durable_threads(), Vec::<String>::new());
    }
}
