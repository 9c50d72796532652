//! Why an instance does not go on, in each situation there is.

use durable_runtime::client::ReadError;
use durable_runtime::history::Place;
use durable_runtime::management::{Stage, WaitingActivity, WaitsOn, Why};
use durable_runtime::prelude::*;
use durable_runtime::{CommandId, Timestamp};

use crate::engine::kit::{TestStore, each_store, end, gate, soon, status_when};

#[activity(retry(max_attempts = 3, initial = "1m"))]
async fn explained_step(ctx: ActivityContext, name: String) -> Result<u32, String> {
    gate(&name).pass().await;
    if ctx.attempt() == 1 { Err("not yet".to_owned()) } else { Ok(ctx.attempt()) }
}

#[activity(tag = "explained nowhere")]
async fn explained_tag() {}

#[orchestration]
async fn explained(ctx: OrchestrationContext, how: String, name: String) -> u32 {
    match how.as_str() {
        "timer" => ctx.timer(Duration::from_secs(60)).await,
        "event" => {
            ctx.event_named::<u32>("approved").await;
        }
        "activity" => drop(explained_step(&ctx, name).await),
        "tag" => drop(explained_tag(&ctx).await),
        "child" => drop(explained(&ctx, "event".to_owned(), name.clone()).id(name).await),
        "all" => {
            let (_, (), _) = join!(
                explained_step(&ctx, name),
                ctx.timer(Duration::from_secs(60)),
                ctx.event_named::<u32>("approved")
            );
        }
        _ => {}
    }
    1
}

/// The line of the file at which this text stands first.
fn line(text: &str) -> Option<Place> {
    let source = include_str!("why.rs");
    let line = source.lines().zip(1..).find(|(line, _)| line.contains(text)).unwrap().1;
    Some(Place { file: file!().into(), line })
}

struct Case {
    test: TestStore,
    runtime: Runtime,
    begin: Timestamp,
}

async fn cases() -> Vec<Case> {
    let mut cases = Vec::new();
    for test in each_store() {
        let runtime = test.runtime().keep_store_open().start().await.unwrap();
        let begin = durable_runtime::Clock::now(&test.clock);
        cases.push(Case { test, runtime, begin });
    }
    cases
}

impl Case {
    async fn start(&self, how: &str, name: &str) -> Why {
        let request = explained(&self.runtime.client(), how.to_owned(), name.to_owned());
        request.id("i").start().await.unwrap().why().await.unwrap()
    }

    async fn why(&self) -> Why {
        self.runtime.client().why("i").await.unwrap()
    }

    /// Waits until the one activity is so.
    async fn activity_when(&self, so: impl Fn(&Stage) -> bool) -> (Why, WaitingActivity) {
        soon(async {
            loop {
                let why = self.why().await;
                if let WaitsOn::Activity(activity) = &why.waits[0].on
                    && so(&activity.stage)
                {
                    let activity = activity.clone();
                    return (why, activity);
                }
                tokio::task::yield_now().await;
            }
        })
        .await
    }
}

#[tokio::test]
async fn a_timer() {
    for case in cases().await {
        let why = case.start("timer", "").await;
        let [wait] = why.waits.as_slice() else { panic!("{why:?}") };
        let due = case.begin.saturating_add(Duration::from_secs(60));
        assert!(matches!(wait.on, WaitsOn::Timer { fire_at } if fire_at == due), "{why}");
        assert_eq!(
            (wait.since, wait.command, &wait.place),
            (case.begin, Some(CommandId(1)), &line("\"timer\" => ctx"))
        );
        assert_eq!((why.messages, why.turn.is_some(), &why.suspended), (None, false, &None), "{why}");
        let place = wait.place.as_ref().unwrap();
        let lines = format!(
            "i  explained 1.0.0  running, execution 1\n  waits for a timer until {due} since {} ({place})",
            case.begin
        );
        assert_eq!(why.to_string(), lines);
        end(case.runtime).await;
    }
}

#[tokio::test]
async fn an_event() {
    for case in cases().await {
        let why = case.start("event", "").await;
        let [wait] = why.waits.as_slice() else { panic!("{why:?}") };
        assert!(matches!(&wait.on, WaitsOn::Event { name } if name == "approved"), "{why}");
        assert_eq!(wait.place, line("ctx.event_named::<u32>(\"approved\").await"));
        // One that does not fit is passed over, and the wait goes on: only the execution in memory knows.
        case.runtime.client().raise("i", "approved", "no number").await.unwrap();
        assert_eq!(case.why().await.waits.len(), 1);
        end(case.runtime).await;
    }
}

#[tokio::test]
async fn an_activity_that_is_queued_or_runs_or_backs_off() {
    for case in cases().await {
        let name = case.test.named("explained");
        case.start("activity", &name).await;
        gate(&name).reached().await;
        let (why, running) = case.activity_when(|stage| matches!(stage, Stage::Running(_))).await;
        let Stage::Running(lease) = &running.stage else { panic!("{why}") };
        assert_eq!((running.attempt, running.failed_attempts.len(), &running.unserved), (1, 0, &None));
        assert!(lease.until > case.begin && lease.lock_token.instance.as_str() == "i");
        assert!(why.to_string().contains("attempt 1 runs, leased to `"), "{why}");

        gate(&name).open();
        let (why, waiting) = case.activity_when(|stage| matches!(stage, Stage::BackingOff { .. })).await;
        let next = case.begin.saturating_add(Duration::from_secs(60));
        assert_eq!((waiting.attempt, &waiting.stage), (2, &Stage::BackingOff { next_attempt_at: next }));
        assert_eq!(waiting.failed_attempts[0].attempt, 1);
        assert!(why.to_string().contains(&format!("attempt 2 comes at {next}; attempt 1 returned an error")), "{why}");
        assert!(!why.to_string().contains("not yet"), "an error is a payload: {why}");

        case.runtime.shutdown(crate::engine::kit::SOON).await;
        case.test.clock.advance(Duration::from_secs(60));
        let why = Client::new(case.test.store.clone()).why("i").await.unwrap();
        assert!(matches!(&why.waits[0].on, WaitsOn::Activity(activity) if activity.attempt == 2), "{why}");
    }
}

#[tokio::test]
async fn a_tag_that_nobody_serves() {
    for case in cases().await {
        case.start("tag", "").await;
        let (why, queued) = case.activity_when(|stage| *stage == Stage::Queued).await;
        assert_eq!((queued.attempt, queued.tag.as_deref()), (1, Some("explained nowhere")));
        let unserved = "no worker here serves the tag `explained nowhere`; add `.serve_tag(\"explained nowhere\")`";
        assert!(why.to_string().contains(unserved), "{why}");
        end(case.runtime).await;
    }
}

#[tokio::test]
async fn a_child() {
    for case in cases().await {
        case.start("child", "the child").await;
        status_when(&case.test.store, "the child", |status| status.status == Status::Running).await;
        let why = case.why().await;
        let [wait] = why.waits.as_slice() else { panic!("{why:?}") };
        assert!(
            matches!(&wait.on, WaitsOn::Child { instance, status: Some(Status::Running) } if instance.as_str() == "the child"),
            "{why}"
        );
        assert!(why.to_string().contains("waits for child `the child`, which is running, since"), "{why}");
        end(case.runtime).await;
    }
}

#[tokio::test]
async fn several_things_at_once_in_the_order_in_which_they_were_asked_for() {
    for case in cases().await {
        let name = case.test.named("explained with others");
        let why = case.start("all", &name).await;
        assert_eq!(why.waits.iter().map(|wait| wait.command.unwrap().0).collect::<Vec<_>>(), [1, 2, 3], "{why}");
        case.runtime.client().raise("i", "approved", &1).await.unwrap();
        let why = case.why().await;
        assert_eq!(why.waits.len(), 2, "{why}");
        // Without a runtime, from the history alone.
        let alone = Client::new(case.test.store.clone()).why("i").await.unwrap();
        assert_eq!(alone.waits.len(), 2, "{alone}");
        gate(&name).open_for_all();
        end(case.runtime).await;
    }
}

#[orchestration]
async fn explained_changes(ctx: OrchestrationContext) {
    if ctx.is_replaying() {
        ctx.event_named::<u32>("now").await;
    }
    ctx.timer(Duration::from_secs(60)).await;
}

#[tokio::test]
async fn a_mismatch_of_history_and_code() {
    for test in each_store() {
        let builder = || test.runtime().keep_store_open().double_check(false);
        let runtime = builder().start().await.unwrap();
        explained_changes(&runtime.client()).id("i").start().await.unwrap();
        end(runtime).await;
        let runtime = builder().start().await.unwrap();
        runtime.client().raise("i", "x", &1).await.unwrap();
        let why = runtime.client().why("i").await.unwrap();
        assert!(why.suspended.as_ref().unwrap().contains("DUR0107"), "{why}");
        assert!(
            why.to_string().contains("\n  suspended: history and code disagree at event 2 of instance `i`"),
            "{why}"
        );
        assert_eq!(why.messages.unwrap().0, 1, "the event waits: {why}");
        assert!(matches!(why.waits[0].on, WaitsOn::Timer { .. }), "by the history: {why}");
        end(runtime).await;
    }
}

#[tokio::test]
async fn what_was_suspended_from_outside() {
    for case in cases().await {
        case.start("timer", "").await;
        case.runtime.client().suspend("i").await.unwrap();
        case.runtime.client().raise("i", "x", &1).await.unwrap();
        let why = case.why().await;
        assert_eq!(why.instance.status, Status::Suspended);
        assert!(why.to_string().contains("suspended from outside; `resume` lets it go on"), "{why}");
        assert!(matches!(why.waits[0].on, WaitsOn::Timer { .. }), "{why}");
        assert_eq!(why.messages.unwrap().0, 1, "{why}");
        let found = case.runtime.client().query().status(Status::Suspended).page().await.unwrap();
        assert_eq!(found.instances.len(), 1);
        case.runtime.client().resume("i").await.unwrap();
        case.test.clock.advance(Duration::from_secs(60));
        let handle = case.runtime.client().handle::<explained>("i").unwrap();
        assert_eq!(soon(handle.result()).await.unwrap(), 1);
        end(case.runtime).await;
    }
}

#[tokio::test]
async fn a_version_that_nobody_has() {
    for case in cases().await {
        let client = Client::new(case.test.store.clone());
        let start = client.start_named("explained", &serde_json::json!({ "how": "timer", "name": "" }));
        start.version("7.0.0").id("i").start().await.unwrap();
        let why = case.why().await;
        let missing =
            "no orchestration `explained` of version 7.0.0 is registered here; versions of `explained` here: 1.0.0";
        assert_eq!(why.missing_handler.as_deref(), Some(missing));
        assert!(why.to_string().contains(missing), "{why}");
        assert_eq!(client.why("i").await.unwrap().missing_handler, None, "a client alone cannot tell");
        end(case.runtime).await;
    }
}

#[tokio::test]
async fn a_start_that_is_not_due() {
    for case in cases().await {
        let request = explained(&case.runtime.client(), "timer".to_owned(), String::new()).id("i");
        request.delay(Duration::from_secs(3_600)).start().await.unwrap();
        let why = case.why().await;
        let [wait] = why.waits.as_slice() else { panic!("{why:?}") };
        assert!(matches!(wait.on, WaitsOn::Start { .. }), "{why}");
        assert!(why.to_string().starts_with("i  explained 1.0.0  pending, execution 1\n  waits to begin at "), "{why}");
        end(case.runtime).await;
    }
}

#[tokio::test]
async fn what_has_ended_waits_for_nothing() {
    for case in cases().await {
        case.start("nothing", "").await;
        let why = case.why().await;
        assert!(why.waits.is_empty() && why.turn.is_none() && why.messages.is_none());
        assert_eq!(why.to_string(), format!("i  explained 1.0.0  completed since {}", case.begin));
        assert!(matches!(case.runtime.client().why("nobody").await, Err(ReadError::NotFound(_))));
        assert!(matches!(case.runtime.client().why("").await, Err(ReadError::Id(_))));
        end(case.runtime).await;
    }
}

#[cfg(feature = "sqlite")]
#[tokio::test]
async fn a_damaged_history_is_the_reason() {
    let folder = tempfile::tempdir().unwrap();
    let file = folder.path().join("store.db");
    let open = || durable_runtime::SqliteProvider::open(&file).unwrap();
    let runtime = Runtime::builder(open()).start().await.unwrap();
    for id in ["sound", "hurt"] {
        explained(&runtime.client(), "event".to_owned(), String::new()).id(id).start().await.unwrap();
    }
    crate::engine::kit::end(runtime).await;
    let sql = rusqlite::Connection::open(&file).unwrap();
    sql.execute("UPDATE events SET data = zeroblob(length(data)) WHERE instance = 'hurt'", []).unwrap();
    drop(sql);

    let runtime = Runtime::builder(open()).start().await.unwrap();
    let client = runtime.client();
    let why = client.why("hurt").await.unwrap();
    assert!(why.damaged.as_ref().is_some_and(|damaged| damaged.contains("hurt")), "{:?}", why.damaged);
    assert!(why.waits.is_empty() && why.to_string().contains("\n  damaged: "), "{why}");
    let sound = client.why("sound").await.unwrap();
    assert!(sound.damaged.is_none() && sound.waits.len() == 1, "{sound}");
    // Nothing of it can be run, but it can be done away with.
    client.terminate("hurt", "damaged").await.unwrap();
    client.delete("hurt").await.unwrap();
    crate::engine::kit::end(runtime).await;
}
