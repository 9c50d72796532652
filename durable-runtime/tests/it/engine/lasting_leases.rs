//! A body that blocks its thread keeps its lease: renewal is not where user code runs.

use std::collections::BTreeMap;
use std::sync::Mutex;
use std::sync::mpsc::{Receiver, Sender, channel};

use durable_runtime::InstanceId;
use durable_runtime::prelude::*;
use durable_runtime::providers::Queue;

use super::kit::{TestStore, each_store, end, gate, soon};

/// What bodies wait for, on their threads.
static WORDS: Mutex<BTreeMap<String, Receiver<()>>> = Mutex::new(BTreeMap::new());

/// What lets the body of this name go on.
fn word(name: &str) -> Sender<()> {
    let (say, word) = channel();
    WORDS.lock().unwrap().insert(name.to_owned(), word);
    say
}

#[activity]
async fn blocks_its_thread(name: String) -> u32 {
    gate(&name).count();
    let word = WORDS.lock().unwrap().remove(&name);
    word.unwrap().recv().unwrap();
    gate(&name).runs()
}

#[orchestration]
async fn waits_for_a_blocker(ctx: OrchestrationContext, name: String) -> Result<u32, ActivityError> {
    blocks_its_thread(&ctx, name).await
}

const LEASE: Duration = Duration::from_millis(30);

/// Waits until the one activity is leased for a whole lease from now.
async fn renewed(test: &TestStore, id: &InstanceId) {
    let whole = durable_runtime::Clock::now(&test.clock).saturating_add(LEASE);
    soon(async {
        loop {
            let waiting = test.store.messages(id, 10).await.unwrap().messages;
            let activity = waiting.iter().find(|message| matches!(message.queue, Queue::Activities(_))).unwrap();
            if activity.lease.as_ref().is_some_and(|lease| lease.until == whole) {
                return;
            }
            tokio::task::yield_now().await;
        }
    })
    .await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_body_that_blocks_its_thread_for_ten_leases_runs_once() {
    for test in each_store() {
        let name = test.named("blocks");
        let say = word(&name);
        let runtime = test.runtime().lease(LEASE).start().await.unwrap();
        let handle = waits_for_a_blocker(&runtime.client(), name.clone()).start().await.unwrap();
        gate(&name).reached().await;
        for _ in 0..30 {
            // A third of a lease each time, as soon as the renewal before it is seen: ten leases in all.
            renewed(&test, handle.id()).await;
            test.clock.advance(LEASE / 3);
        }
        say.send(()).unwrap();
        assert_eq!(soon(handle.result()).await.unwrap(), 1);
        assert_eq!(gate(&name).runs(), 1);
        end(runtime).await;
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn timers_go_off_while_a_body_blocks_its_thread() {
    for test in each_store() {
        let name = test.named("blocks one");
        let say = word(&name);
        let runtime = test.runtime().start().await.unwrap();
        let blocked = waits_for_a_blocker(&runtime.client(), name.clone()).start().await.unwrap();
        gate(&name).reached().await;
        let nap = naps(&runtime.client()).start().await.unwrap();
        test.clock.advance(Duration::from_secs(1));
        soon(nap.result()).await.unwrap();
        say.send(()).unwrap();
        soon(blocked.result()).await.unwrap();
        end(runtime).await;
    }
}

#[orchestration]
async fn naps(ctx: OrchestrationContext) {
    ctx.timer(Duration::from_secs(1)).await;
}
