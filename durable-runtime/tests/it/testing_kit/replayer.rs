//! Recorded histories against changed code.

use durable_runtime::history::Event;
use durable_runtime::testing::{RecordedHistory, ReplayError, Replayer, TestRuntime};

mod before {
    use durable_runtime::prelude::*;

    #[activity(name = "kit.reserve")]
    pub(super) async fn reserve(item: String) -> String {
        item
    }

    #[orchestration(name = "kit.order", version = "1.0.0")]
    pub(super) async fn order(ctx: OrchestrationContext, item: String) -> Result<String, ActivityError> {
        let item = reserve(&ctx, item).await?;
        ctx.timer(Duration::from_secs(60)).await;
        Ok(item)
    }
}

mod after {
    use durable_runtime::prelude::*;

    #[activity(name = "kit.charge")]
    pub(super) async fn charge(_item: String) {}

    #[orchestration(name = "kit.order", version = "2.0.0")]
    pub(super) async fn order(ctx: OrchestrationContext, item: String) -> Result<String, ActivityError> {
        charge(&ctx, item.clone()).await?; // a step above the first one
        let item = super::before::reserve(&ctx, item).await?;
        ctx.timer(Duration::from_secs(60)).await;
        Ok(item)
    }
}

async fn recorded() -> RecordedHistory {
    let runtime = TestRuntime::start().await.unwrap();
    let handle = before::order(&runtime.client(), "tea".into()).id("order-1").start().await.unwrap();
    runtime.settled().await;
    let (execution_id, events) = (handle.status().await.unwrap().execution_id, handle.history().await.unwrap());
    runtime.shutdown().await;
    RecordedHistory { instance: handle.id().clone(), execution_id, events }
}

/// As if the release of the code had been exchanged under the same version.
fn under(version: &str, recorded: &RecordedHistory) -> RecordedHistory {
    let text = serde_json::to_string(recorded).unwrap();
    serde_json::from_str(&text.replace("\"version\":\"1.0.0\"", &format!("\"version\":\"{version}\""))).unwrap()
}

#[tokio::test(flavor = "current_thread")]
async fn the_code_that_wrote_a_history_goes_along_with_it() {
    let (recorded, replayer) = (recorded().await, Replayer::new().unwrap());
    let replayed = replayer.check(&recorded).unwrap();
    assert_eq!((replayed.events, replayed.has_ended), (4, false));
    for prefix in 1..=recorded.events.len() {
        let prefix = RecordedHistory { events: recorded.events[..prefix].to_vec(), ..recorded.clone() };
        // A turn is kept as a whole: a history ends with all that an event led to.
        let is_whole = prefix.events.len().is_multiple_of(2);
        assert_eq!(replayer.check(&prefix).is_ok(), is_whole, "{:?}", prefix.events);
    }
}

#[tokio::test(flavor = "current_thread")]
async fn a_changed_step_is_a_mismatch_with_both_places() {
    let error = Replayer::new().unwrap().check(&under("2.0.0", &recorded().await)).unwrap_err();
    let ReplayError::Mismatch(mismatch) = &error else { panic!("{error}") };
    assert_eq!(mismatch.event.0, 2);
    let text = error.to_string();
    for expected in ["`kit.reserve`", "`kit.charge`", "replayer.rs:16", "replayer.rs:30", "order-1"] {
        assert!(text.contains(expected), "no {expected} in: {text}");
    }
}

#[tokio::test(flavor = "current_thread")]
async fn what_is_no_history_or_unknown_is_told_apart() {
    let (recorded, replayer) = (recorded().await, Replayer::new().unwrap());
    let with = |events: Vec<Event>| RecordedHistory { events, ..recorded.clone() };
    assert!(matches!(replayer.check(&with(Vec::new())), Err(ReplayError::Empty)));
    assert!(matches!(replayer.check(&with(recorded.events[1..].to_vec())), Err(ReplayError::Invalid(_))));
    let mut twice = recorded.events.clone();
    twice.extend(recorded.events.last().cloned());
    assert!(matches!(replayer.check(&with(twice)), Err(ReplayError::Invalid(_))));

    let error = replayer.check(&under("3.0.0", &recorded)).unwrap_err().to_string();
    assert!(
        error.contains("`kit.order` 3.0.0 is not registered here; versions of `kit.order` here: 1.0.0, 2.0.0"),
        "{error}"
    );
    let empty = Replayer::empty().check(&recorded).unwrap_err().to_string();
    assert!(empty.contains("no orchestration is registered here"), "{empty}");
    assert!(Replayer::empty().register::<before::order>().unwrap().check(&recorded).is_ok());

    let newer = serde_json::to_string(&recorded).unwrap().replacen("\"format\":1", "\"format\":2", 1);
    let error = replayer.check(&serde_json::from_str(&newer).unwrap()).unwrap_err();
    assert!(matches!(error, ReplayError::NewerFormat { format: 2 }), "{error}");
}
