use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};

use durable_runtime::prelude::*;
use durable_runtime::testing::{FinishError, TestRuntime};
use durable_runtime::{Clock, Status};

const DAY: Duration = Duration::from_secs(86_400);

#[derive(Event, Serialize, Deserialize)]
struct Paid {
    cents: u64,
}

#[activity(name = "kit.remind", retry(max_attempts = 4, initial = "1h", factor = 1.0, max = "1h"))]
async fn remind(whom: String, number: u32) -> Result<String, String> {
    Err(format!("no mail in tests: {whom}, {number}"))
}

#[activity(name = "kit.untouched")]
async fn untouched(number: u32) -> u32 {
    number + 1
}

#[activity(name = "kit.elsewhere", tag = "nobody serves this")]
async fn elsewhere() {}

#[orchestration(name = "kit.dunning")]
async fn dunning(ctx: OrchestrationContext, whom: String) -> Result<(u64, u32), ActivityError<String>> {
    let mut reminders = 0;
    loop {
        select! {
            paid = ctx.event::<Paid>() => return Ok((paid.cents, reminders)),
            () = ctx.timer(30 * DAY) => {
                remind(&ctx, whom.clone(), reminders).await?;
                reminders += 1;
            }
        }
    }
}

#[orchestration(name = "kit.plain")]
async fn plain(ctx: OrchestrationContext, number: u32) -> Result<u32, ActivityError> {
    untouched(&ctx, number).await
}

#[orchestration(name = "kit.unserved")]
async fn unserved(ctx: OrchestrationContext) -> Result<(), ActivityError> {
    elsewhere(&ctx).await
}

#[tokio::test]
async fn a_month_passes_in_a_moment_and_no_timer_is_skipped() {
    let runtime = TestRuntime::start().await.unwrap();
    let reminded = Arc::new(AtomicU64::new(0));
    let count = Arc::clone(&reminded);
    runtime.mock(remind, move |whom: String, number: u32| {
        count.fetch_add(1, Ordering::SeqCst);
        Ok(format!("{whom} {number}"))
    });
    let begin = runtime.clock().now();
    let handle = dunning(&runtime.client(), "Ada".to_owned()).start().await.unwrap();
    runtime.advance(95 * DAY).await;
    assert_eq!(reminded.load(Ordering::SeqCst), 3);
    assert_eq!(runtime.clock().now().saturating_since(begin), 95 * DAY);
    handle.raise(Paid { cents: 120 }).await.unwrap();
    assert_eq!(runtime.finish(&handle).await.unwrap(), (120, 3));
    assert_eq!(runtime.clock().now().saturating_since(begin), 95 * DAY, "nothing was waited for");
    runtime.shutdown().await;
}

#[tokio::test]
async fn the_first_attempts_fail_and_the_retries_take_virtual_time() {
    let runtime = TestRuntime::start().await.unwrap();
    runtime.mock(remind, |_: String, _: u32| Ok("done".to_owned()));
    runtime.fail_first(remind, 3, || "busy".to_owned());
    let handle = dunning(&runtime.client(), "Ada".to_owned()).start().await.unwrap();
    let begin = runtime.clock().now();
    runtime.advance(30 * DAY + Duration::from_secs(2 * 3_600)).await;
    assert_eq!(runtime.attempts(remind), 3);
    runtime.advance(Duration::from_secs(3_600)).await;
    assert_eq!(runtime.attempts(remind), 4);
    assert_eq!(runtime.settled().await.unwrap().saturating_since(begin), 60 * DAY + Duration::from_secs(3 * 3_600));
    handle.terminate("enough").await.unwrap();
    runtime.shutdown().await;
}

#[tokio::test]
async fn what_is_not_mocked_runs_as_it_is() {
    let runtime = TestRuntime::start().await.unwrap();
    assert_eq!(runtime.run(plain(&runtime.client(), 41)).await.unwrap(), 42);
    assert_eq!((runtime.attempts(untouched), runtime.attempts(remind)), (1, 0));
    runtime.shutdown().await;
}

#[tokio::test]
async fn a_mock_with_other_arguments_says_so() {
    let runtime = TestRuntime::start().await.unwrap();
    runtime.mock(untouched, |text: String| Ok(text.len() as u32));
    let error = runtime.run(plain(&runtime.client(), 41)).await.unwrap_err();
    assert!(format!("{error:?}").contains("the mock of activity `kit.untouched` takes other arguments"), "{error:?}");
    runtime.shutdown().await;
}

#[tokio::test]
async fn waiting_for_what_no_time_brings_is_an_error() {
    let runtime = TestRuntime::start().await.unwrap();
    let error = runtime.run(unserved(&runtime.client()).id("alone")).await.unwrap_err();
    let FinishError::Stuck { instance, status: Status::Running, report: None } = &error else { panic!("{error:?}") };
    assert_eq!(instance, "alone");
    assert_eq!(error.to_string(), "instance `alone` is Running and nothing will happen by itself any more");
    runtime.shutdown().await;
}

#[activity(name = "kit.slow", timeout = "1m", retry(max_attempts = 3, initial = "10s", factor = 1.0))]
async fn slow(number: u32) -> Result<u32, String> {
    Ok(number)
}

#[orchestration(name = "kit.impatient")]
async fn impatient(ctx: OrchestrationContext, number: u32) -> Result<u32, ActivityError<String>> {
    ctx.timeout(Duration::from_secs(600), slow(&ctx, number)).await.unwrap_or(Ok(0))
}

#[tokio::test]
async fn a_delayed_mock_takes_its_time_and_no_more_than_it_may() {
    let runtime = TestRuntime::start().await.unwrap();
    runtime.mock(slow, |number: u32| Ok(number + 1));
    runtime.fail_first(slow, 1, || "busy".to_owned());
    runtime.delay(slow, Duration::from_secs(59));
    let handle = impatient(&runtime.client(), 7).id("in time").start().await.unwrap();
    assert_eq!(runtime.finish(&handle).await.unwrap(), 8);
    let expected = "\
1 +0s started name=kit.impatient version=1.0.0 input={\"number\":7}
2 +0s activity_scheduled command=1 name=kit.slow ";
    let history = runtime.history(&handle).await.unwrap();
    assert!(history.starts_with(expected), "{history}");
    // Two attempts of 59 seconds, and ten between them.
    assert!(history.contains("+2m 8s activity_completed command=1"), "{history}");

    runtime.delay(slow, Duration::from_secs(61));
    let handle = impatient(&runtime.client(), 7).id("too late").start().await.unwrap();
    let error = runtime.finish(&handle).await.unwrap_err().to_string();
    assert!(error.contains("the attempt took longer than 1m"), "{error}");
    let history = runtime.history(&handle).await.unwrap();
    assert!(history.contains("+3m 20s activity_failed command=1"), "{history}");

    runtime.delay(slow, DAY);
    runtime.delay(untouched, DAY);
    let begin = runtime.clock().now();
    assert_eq!(runtime.run(plain(&runtime.client(), 41)).await.unwrap(), 42);
    assert_eq!(runtime.clock().now().saturating_since(begin), DAY, "also what is not mocked");
    runtime.delay(untouched, Duration::ZERO);
    assert_eq!(runtime.run(plain(&runtime.client(), 41)).await.unwrap(), 42);
    assert_eq!(runtime.clock().now().saturating_since(begin), DAY);
    runtime.shutdown().await;
}

#[tokio::test]
async fn what_is_given_up_while_it_takes_its_time_never_answers() {
    let runtime = TestRuntime::start().await.unwrap();
    runtime.delay(slow, Duration::from_secs(59));
    runtime.mock(remind, |_: String, _: u32| Ok("done".to_owned()));
    let handle = impatient(&runtime.client(), 7).start().await.unwrap();
    runtime.advance(Duration::from_secs(30)).await;
    handle.cancel("no need any more").await.unwrap();
    assert_eq!(runtime.settled().await, None, "nothing comes any more");
    runtime.advance(DAY).await;
    assert_eq!(handle.status().await.unwrap().status, Status::Cancelled);
    assert_eq!(runtime.attempts(slow), 0);
    runtime.shutdown().await;
}
