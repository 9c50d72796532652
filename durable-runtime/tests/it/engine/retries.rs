//! Retry policies: how often, how long between, what is not tried again, and what is kept of it (I14).

use durable_runtime::client::ResultError;
use durable_runtime::history::{Event, EventKind, FailedAttempt, Failure};
use durable_runtime::prelude::*;

use super::kit::{each_store, end, gate, in_memory, soon};

#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, thiserror::Error, ActivityError)]
enum PaymentError {
    #[terminal]
    #[error("card declined")]
    Declined { code: u32 },
    #[error("no answer")]
    NoAnswer,
}

/// The result of most programs: an alias.
type Paid<T> = Result<T, PaymentError>;

#[activity(retry(max_attempts = 5, initial = "1ms", backoff = "fixed"))]
async fn pay(ctx: ActivityContext, key: String, declined_at: u32) -> Paid<u32> {
    gate(key).count();
    if ctx.attempt() == declined_at { Err(PaymentError::Declined { code: 7 }) } else { Err(PaymentError::NoAnswer) }
}

#[orchestration]
async fn pays(ctx: OrchestrationContext, key: String, declined_at: u32) -> Result<u32, ActivityError<PaymentError>> {
    pay(&ctx, key, declined_at).await
}

fn failures(history: &[Event]) -> Vec<(u32, Vec<FailedAttempt>)> {
    let failure = |event: &Event| match &event.kind {
        EventKind::ActivityFailed { attempts, failed_attempts, redeliveries: 0, .. }
        | EventKind::ActivityCompleted { attempts, failed_attempts, redeliveries: 0, .. } => {
            Some((*attempts, failed_attempts.clone()))
        }
        _ => None,
    };
    history.iter().filter_map(failure).collect()
}

fn error_of(attempt: &FailedAttempt) -> PaymentError {
    let Failure::Failed { error } = &attempt.failure else { panic!("{attempt:?}") };
    error.decode().unwrap()
}

#[tokio::test]
async fn a_terminal_error_is_not_tried_again() {
    let runtime = in_memory().await;
    let handle = pays(&runtime.client(), "declined at 2".into(), 2).start().await.unwrap();
    let error = soon(handle.result()).await.unwrap_err();
    let declined = matches!(error, ResultError::Failed(ActivityError::Failed(PaymentError::Declined { code: 7 })));
    assert!(declined, "{error}");
    assert_eq!(gate("declined at 2").runs(), 2);
    let [(2, failed)] = &failures(&handle.history().await.unwrap())[..] else { panic!("one event, two attempts") };
    assert_eq!(
        failed.iter().map(|failed| (failed.attempt, error_of(failed))).collect::<Vec<_>>(),
        [(1, PaymentError::NoAnswer)]
    );
    end(runtime).await;
}

/// An error of another crate: it cannot say by itself what is terminal.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
struct Foreign(u32);

fn is_client_error(error: &Foreign) -> bool {
    (400..500).contains(&error.0)
}

#[activity(retry(max_attempts = 4, initial = "0s"), terminal = is_client_error)]
fn request(ctx: ActivityContext, key: String, answers: Vec<u32>) -> Result<u32, Foreign> {
    gate(key).count();
    Err(Foreign(answers[ctx.attempt() as usize - 1]))
}

#[orchestration]
async fn requests(ctx: OrchestrationContext, key: String, answers: Vec<u32>) -> Result<u32, ActivityError<Foreign>> {
    request(&ctx, key, answers).await
}

#[tokio::test]
async fn a_function_says_which_errors_of_others_are_terminal() {
    let runtime = in_memory().await;
    for (answers, runs) in [(vec![503, 404, 503, 503], 2), (vec![404], 1), (vec![503; 4], 4)] {
        let key = format!("answers {answers:?}");
        let last = answers[runs as usize - 1];
        let handle = requests(&runtime.client(), key.clone(), answers).start().await.unwrap();
        let error = soon(handle.result()).await.unwrap_err();
        assert!(
            matches!(error, ResultError::Failed(ActivityError::Failed(Foreign(answer))) if answer == last),
            "{key}"
        );
        assert_eq!(gate(key).runs(), runs);
    }
    end(runtime).await;
}

#[activity]
async fn fails(ctx: ActivityContext, key: String) -> Result<u32, String> {
    gate(key).count();
    Err(format!("failure {}", ctx.attempt()))
}

#[orchestration]
async fn fails_with(ctx: OrchestrationContext, key: String, policy: RetryPolicy) -> Result<u32, ActivityError<String>> {
    fails(&ctx, key).retry(policy).await
}

#[tokio::test]
async fn waits_are_those_of_the_policy_to_the_millisecond() {
    for test in each_store() {
        let runtime = test.runtime().start().await.unwrap();
        let policy = RetryPolicy::attempts(5).initial(Duration::from_secs(10)).linear().max(Duration::from_secs(25));
        let key = test.named("exact");
        let handle = fails_with(&runtime.client(), key.clone(), policy).id("exact").start().await.unwrap();
        for seconds in [10, 20, 25, 25] {
            gate(&key).reached().await;
            test.activities_are(1, 0).await;
            test.clock.advance(Duration::from_millis(seconds * 1_000 - 1));
            test.activities_are(1, 0).await;
            test.clock.advance(Duration::from_millis(1));
        }
        let error = soon(handle.result()).await.unwrap_err();
        assert!(matches!(error, ResultError::Failed(ActivityError::Failed(text)) if text == "failure 5"));
        let [(5, failed)] = &failures(&handle.history().await.unwrap())[..] else { panic!("one event") };
        let begun: Vec<_> = failed.iter().map(|failed| failed.began_at.as_millis()).collect();
        let between: Vec<_> = begun.windows(2).map(|two| two[1] - two[0]).collect();
        assert_eq!(between, [10_000, 20_000, 25_000]);
        end(runtime).await;
    }
}

#[tokio::test]
async fn no_attempt_begins_after_the_total_time() {
    for test in each_store() {
        let runtime = test.runtime().start().await.unwrap();
        let policy =
            RetryPolicy::attempts(100).initial(Duration::from_secs(60)).fixed().total(Duration::from_secs(150));
        let key = test.named("total");
        let handle = fails_with(&runtime.client(), key.clone(), policy).start().await.unwrap();
        for _ in 0..2 {
            gate(&key).reached().await;
            test.activities_are(1, 0).await;
            test.clock.advance(Duration::from_secs(60));
        }
        let error = soon(handle.result()).await.unwrap_err();
        assert!(matches!(error, ResultError::Failed(ActivityError::Failed(text)) if text == "failure 3"));
        assert_eq!(gate(key).runs(), 3);
        end(runtime).await;
    }
}

#[tokio::test]
async fn the_status_shows_what_is_tried_again_and_why() {
    for test in each_store() {
        let runtime = test.runtime().start().await.unwrap();
        let key = test.named("shown");
        let policy = RetryPolicy::attempts(2).initial(Duration::from_secs(60));
        let handle = fails_with(&runtime.client(), key.clone(), policy).id("shown").start().await.unwrap();
        gate(&key).reached().await;
        test.activities_are(1, 0).await;
        let status = handle.status().await.unwrap();
        let [activity] = &status.activities[..] else { panic!("{status:?}") };
        assert_eq!((activity.name.as_str(), activity.attempt, activity.command.0), ("fails", 2, 1));
        let wait = activity.next_attempt_at.unwrap().saturating_since(activity.failed_attempts[0].began_at);
        assert_eq!(wait, Duration::from_secs(60));
        let Failure::Failed { error } = &activity.failed_attempts[0].failure else { panic!("{activity:?}") };
        assert_eq!(error.decode::<String>().unwrap(), "failure 1");
        test.clock.advance(Duration::from_secs(60));
        soon(handle.result()).await.unwrap_err();
        assert_eq!(handle.status().await.unwrap().activities, []);
        end(runtime).await;
    }
}

#[tokio::test]
async fn an_attempt_that_is_begun_anew_is_still_the_first() {
    let folder = tempfile::tempdir().unwrap();
    let store = SledProvider::open(folder.path()).unwrap();
    let runtime = Runtime::builder(store.clone()).keep_store_open().cancel_grace(Duration::ZERO).start().await.unwrap();
    waits_to_begin_anew(&runtime.client(), "begun anew".into()).id("begun anew").start().await.unwrap();
    gate("begun anew").reached().await;
    runtime.shutdown(Duration::ZERO).await;
    // Its lease would have to run out: a store that is opened again knows of none.
    use durable_runtime::Provider as _;
    store.close().await;
    drop(store);
    let runtime = Runtime::builder(SledProvider::open(folder.path()).unwrap()).start().await.unwrap();
    gate("begun anew").reached().await;
    gate("begun anew").open();
    let handle = runtime.client().handle::<waits_to_begin_anew>("begun anew").unwrap();
    assert_eq!(soon(handle.result()).await.unwrap(), 1);
    let attempts = |event: Event| match event.kind {
        EventKind::ActivityCompleted { attempts, .. } => Some(attempts),
        _ => None,
    };
    assert_eq!(handle.history().await.unwrap().into_iter().find_map(attempts), Some(1));
    assert_eq!(gate("begun anew").runs(), 2);
    end(runtime).await;
}

#[activity]
async fn begins_anew(ctx: ActivityContext, name: String) -> u32 {
    gate(name).pass().await;
    ctx.attempt()
}

#[orchestration]
async fn waits_to_begin_anew(ctx: OrchestrationContext, name: String) -> Result<u32, ActivityError> {
    begins_anew(&ctx, name).await
}
