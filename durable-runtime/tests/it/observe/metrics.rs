//! Each metric has the value that it should have: durations are those of a clock set by hand.

use std::collections::BTreeMap;
use std::sync::{Arc, Mutex};

use durable_runtime::client::ResultError;
use durable_runtime::observe::{Distribution, Metrics};
use durable_runtime::prelude::*;
use durable_runtime::providers::{CommitId, OwnerId, Transaction, TransactionOp, TurnRequest};
use durable_runtime::testing::{ManualClock, TestRuntime};
use durable_runtime::{Provider, SqliteProvider};

use crate::engine::kit::{each_store, end, soon};

static CLOCKS: Mutex<BTreeMap<String, ManualClock>> = Mutex::new(BTreeMap::new());

/// Lets time pass on the clock of this name.
fn pass(clock: &str, millis: u64) {
    if let Some(clock) = CLOCKS.lock().unwrap().get(clock) {
        clock.advance(Duration::from_millis(millis));
    }
}

fn named(clock: &ManualClock, name: &str) -> String {
    CLOCKS.lock().unwrap().insert(name.to_owned(), clock.clone());
    name.to_owned()
}

/// What is counted follows what is kept: waits until it has.
pub(super) async fn when(runtime: &TestRuntime, so: impl Fn(&Metrics) -> bool) -> Metrics {
    soon(async {
        loop {
            let metrics = runtime.metrics().await;
            if so(&metrics) {
                return metrics;
            }
            tokio::task::yield_now().await;
        }
    })
    .await
}

/// These times, in milliseconds.
fn times(millis: &[u64]) -> Distribution {
    let mut times = Distribution::default();
    millis.iter().for_each(|millis| times.add_time(Duration::from_millis(*millis)));
    times
}

#[derive(Debug, Serialize, Deserialize, Clone, Copy)]
enum End {
    Return,
    Fail,
    Wait,
    Again,
}

#[orchestration]
async fn metered_ends(ctx: OrchestrationContext, end: End) -> Result<u32, String> {
    match end {
        End::Return => Ok(1),
        End::Fail => Err("no".to_owned()),
        End::Wait => Ok(ctx.event_named("never").await),
        End::Again => metered_ends(&ctx, End::Return).continue_as_new().await,
    }
}

#[tokio::test]
async fn starts_and_completions_by_outcome() {
    let runtime = TestRuntime::start().await.unwrap();
    let client = runtime.client();
    for end in [End::Return, End::Fail, End::Fail, End::Again, End::Wait, End::Wait, End::Wait] {
        metered_ends(&client, end).start().await.unwrap();
    }
    let waiting: Vec<_> = client.list().page().await.unwrap().instances;
    let waiting: Vec<_> = waiting.into_iter().filter(|one| !one.status.is_closed()).map(|one| one.instance).collect();
    client.cancel(&waiting[0], "").await.unwrap();
    client.terminate(&waiting[1], "").await.unwrap();
    let metrics = runtime.metrics().await;
    assert_eq!(metrics.starts["metered_ends"], 8, "each execution is one");
    let ends = metrics.completions["metered_ends"];
    assert_eq!((ends.completed, ends.failed, ends.cancelled, ends.terminated, ends.continued_as_new), (2, 2, 1, 1, 1));
    runtime.shutdown().await;
}

#[orchestration]
async fn metered_turns(ctx: OrchestrationContext, clock: String) {
    ctx.side_effect("five", || pass(&clock, 5));
    ctx.timer(Duration::from_secs(1)).await;
    ctx.side_effect("seven", || pass(&clock, 7));
}

#[tokio::test]
async fn how_long_turns_took() {
    let runtime = TestRuntime::start().await.unwrap();
    let clock = named(runtime.clock(), "turns");
    runtime.run(metered_turns(&runtime.client(), clock)).await.unwrap();
    assert_eq!(runtime.metrics().await.turn_time, times(&[5, 7]));
    runtime.shutdown().await;
}

/// Takes three milliseconds to read.
#[derive(Debug, Serialize)]
struct Slow(String);

impl<'de> Deserialize<'de> for Slow {
    fn deserialize<D: serde::Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        let clock = String::deserialize(deserializer)?;
        pass(&clock, 3);
        Ok(Self(clock))
    }
}

#[orchestration]
async fn metered_replays(ctx: OrchestrationContext, slow: Slow) -> usize {
    ctx.event_named::<u32>("go").await;
    ctx.event_named::<u32>("go").await;
    slow.0.len()
}

#[tokio::test]
async fn live_hits_and_misses_and_how_long_replays_took() {
    let clock = ManualClock::new();
    let store = MemoryProvider::with_clock(clock.clone());
    let builder = Runtime::builder(store).metrics_clock(clock.clone());
    let runtime = builder.shards(1).live_executions_max(1).double_check(false).start().await.unwrap();
    let client = runtime.client();
    for id in ["one", "two"] {
        metered_replays(&client, Slow(named(&clock, "replays"))).id(id).start().await.unwrap();
    }
    let found = |metrics: &Metrics| (metrics.live_hits, metrics.live_misses);
    assert_eq!(found(&runtime.metrics().await), (0, 0));
    client.raise("two", "go", &1).await.unwrap(); // the last to be used
    assert_eq!(found(&runtime.metrics().await), (1, 0));
    client.raise("one", "go", &1).await.unwrap(); // had to leave for it
    client.raise("two", "go", &1).await.unwrap();
    let metrics = runtime.metrics().await;
    assert_eq!(found(&metrics), (1, 2));
    assert_eq!(metrics.replay_time, times(&[3, 3]));
    end(runtime).await;
}

#[activity(tag = "metered")]
async fn metered_tag() -> u32 {
    1
}

#[orchestration]
async fn metered_queues(ctx: OrchestrationContext) -> Result<u32, ActivityError> {
    metered_tag(&ctx).await
}

#[tokio::test]
async fn depth_and_age_of_queues() {
    let clock = ManualClock::new();
    let store = MemoryProvider::with_clock(clock.clone());
    let id = metered_queues(&Client::new(store.clone())).id("queued").start().await.unwrap().id().clone();
    // What is not due waits too.
    let later = Client::new(store.clone()).start_named("metered_queues", &()).id("later").delay(Duration::MAX);
    later.start().await.unwrap();
    clock.advance(Duration::from_secs(3));
    let builder = || Runtime::builder(store.clone()).keep_store_open().metrics_clock(clock.clone());

    let runtime = builder().start().await.unwrap();
    crate::engine::kit::status_when(&store, id.as_str(), |status| status.status == Status::Running).await;
    let metrics = runtime.metrics().await;
    assert_eq!(metrics.turn_age, times(&[3_000]));
    let queues = metrics.store.unwrap();
    assert_eq!((queues.turn_messages, queues.activities), (1, 1));
    end(runtime).await;

    clock.advance(Duration::from_secs(7));
    let runtime = builder().serve_tag("metered").start().await.unwrap();
    soon(runtime.client().handle::<metered_queues>(&id).unwrap().result()).await.unwrap();
    let metrics = runtime.metrics().await;
    assert_eq!(metrics.activity_age, times(&[7_000]));
    assert_eq!(metrics.turn_age, times(&[]), "what this process brings itself does not wait");
    let queues = metrics.store.unwrap();
    assert_eq!((queues.turn_messages, queues.activities), (1, 0));
    end(runtime).await;
}

#[activity(retry(max_attempts = 3, initial = "1s"))]
async fn metered_attempts(ctx: ActivityContext, clock: String, succeeds: bool) -> Result<u32, String> {
    pass(&clock, 10 * u64::from(ctx.attempt()));
    if succeeds && ctx.attempt() == 2 { Ok(ctx.attempt()) } else { Err("not yet".to_owned()) }
}

#[orchestration]
async fn metered_activities(ctx: OrchestrationContext, clock: String) -> Result<u32, ActivityError<String>> {
    let done = metered_attempts(&ctx, clock.clone(), true).await;
    let _ = metered_attempts(&ctx, clock, false).await;
    done
}

#[tokio::test]
async fn attempts_their_durations_and_retries() {
    let runtime = TestRuntime::start().await.unwrap();
    let clock = named(runtime.clock(), "activities");
    runtime.run(metered_activities(&runtime.client(), clock)).await.unwrap();
    let metrics = runtime.metrics().await.activities["metered_attempts"];
    assert_eq!((metrics.attempts, metrics.retries, metrics.completed, metrics.failed), (5, 3, 1, 1));
    assert_eq!(metrics.attempt_time, times(&[10, 20, 10, 20, 30]));
    runtime.shutdown().await;
}

#[tokio::test]
async fn flushes_with_their_sizes_and_times() {
    let (clock, folder) = (ManualClock::new(), tempfile::tempdir().unwrap());
    let sqlite = SqliteProvider::options().clock(clock.clone()).open(folder.path().join("store")).unwrap();
    let mut stores: Vec<Arc<dyn Provider>> = vec![Arc::new(sqlite)];
    stores.extend(each_store().map(|test| test.store));
    for store in stores {
        let client = Client::new(Arc::clone(&store));
        for number in 1..=3 {
            client.start_named("grouped", &number).id(format!("{number}")).start().await.unwrap();
        }
        client.start_named("grouped", &1).id("1").start().await.unwrap_err();
        let mut ones = Distribution::default();
        (0..3).for_each(|_| ones.add(1));
        let groups = store.groups();
        assert_eq!((groups.sizes, groups.times), (ones, times(&[0, 0, 0])), "{}", store.capabilities().name);
    }
}

#[tokio::test]
async fn what_was_given_up() {
    let clock = ManualClock::new();
    let store = MemoryProvider::with_clock(clock.clone());
    let arguments = serde_json::json!({ "end": "Wait" });
    let outside = Client::new(store.clone());
    let id = outside.start_named("metered_ends", &arguments).id("deadly").start().await.unwrap();
    // As if its process had died of its first turn, time and again, and at last of that turn alone.
    let entries = vec![("trial".to_owned(), Some(bytes::Bytes::from_static(b"true")))];
    let ops = vec![TransactionOp::PutMetadata { instance: id.clone(), entries }];
    store.atomic_batch(Transaction { fence: None, commit_id: CommitId(7), ops }).await.unwrap();
    let want = TurnRequest {
        owner: OwnerId::new("dies"),
        max: 1,
        ttl: Duration::from_secs(1),
        wait: Duration::ZERO,
        instance: None,
        skills: None,
    };
    for _ in 0..2 {
        assert_eq!(store.fetch_turns(want.clone()).await.unwrap().len(), 1);
        clock.advance(Duration::from_secs(2));
    }
    let mut limits = durable_runtime::Limits::default();
    limits.deliveries_max = 1;
    let runtime = Runtime::builder(store).limits(limits).metrics_clock(clock).start().await.unwrap();
    let handle = runtime.client().handle::<metered_ends>(&id).unwrap();
    let error = soon(handle.result()).await.unwrap_err();
    assert!(matches!(error, ResultError::Stopped { .. }), "{error:?}");
    // It is counted after it is kept.
    let metrics = soon(async {
        loop {
            let metrics = runtime.metrics().await;
            if metrics.completions.contains_key("metered_ends") {
                return metrics;
            }
            tokio::task::yield_now().await;
        }
    })
    .await;
    assert_eq!((metrics.poisoned, metrics.completions["metered_ends"].failed), (1, 1));
    end(runtime).await;
}

#[tokio::test]
async fn suspended_instances() {
    let lease = Duration::from_millis(10);
    let runtime = TestRuntime::builder().configure(|builder| builder.lease(lease)).start().await.unwrap();
    assert_eq!(runtime.metrics().await.suspended, 0);
    let unknown = Client::new(runtime.store().clone()).start_named("nobody has this", &()).id("lost");
    unknown.start().await.unwrap();
    runtime.advance(Duration::from_secs(1)).await;
    while runtime.client().suspended("lost").unwrap().is_none() {
        tokio::task::yield_now().await;
    }
    assert_eq!(runtime.metrics().await.suspended, 1);
    runtime.client().terminate("lost", "nobody has it").await.unwrap();
    assert_eq!(runtime.metrics().await.suspended, 0);
    runtime.shutdown().await;
}
