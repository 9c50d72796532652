//! A limit around anything durable.

use durable_runtime::Clock as _;
use durable_runtime::context::Elapsed;
use durable_runtime::prelude::*;
use durable_runtime::providers::Provider;
use durable_runtime::testing::TestRuntime;

const MINUTE: Duration = Duration::from_secs(60);

#[activity]
async fn five() -> u32 {
    5
}

#[derive(Event, Serialize, Deserialize)]
struct Enough {
    said: String,
}

#[derive(Debug, PartialEq, Serialize, Deserialize)]
enum Seen {
    Value(u32),
    Event(String),
    Late(String),
}

#[orchestration]
async fn has_limits(ctx: OrchestrationContext, is_served: bool) -> Vec<Seen> {
    let late = |elapsed: Elapsed| Seen::Late(elapsed.to_string());
    let call = if is_served { five(&ctx) } else { five(&ctx).tag("nobody serves this") };
    let first = ctx.timeout(MINUTE, call).await;
    let second = ctx.timeout(MINUTE * 2, ctx.event::<Enough>()).await;
    let third = ctx.timeout(if is_served { MINUTE * 4 } else { MINUTE * 2 }, async {
        ctx.timer(MINUTE * 3 / 2).await;
        ctx.timer(MINUTE * 3 / 2).await;
        3
    });
    vec![
        first.map_or_else(late, |value| Seen::Value(value.unwrap_or_default())),
        second.map_or_else(late, |event| Seen::Event(event.said)),
        third.await.map_or_else(late, Seen::Value),
    ]
}

#[tokio::test(flavor = "current_thread")]
async fn what_is_done_in_time_is_given() {
    let runtime = TestRuntime::start().await.unwrap();
    let handle = has_limits(&runtime.client(), true).start().await.unwrap();
    handle.raise(Enough { said: "enough".into() }).await.unwrap();
    let seen = runtime.finish(&handle).await.unwrap();
    assert_eq!(seen, [Seen::Value(5), Seen::Event("enough".into()), Seen::Value(3)]);
    assert_eq!(runtime.settled().await, None, "no timer is left");
    runtime.shutdown().await;
}

#[tokio::test(flavor = "current_thread")]
async fn what_takes_longer_is_cancelled() {
    let runtime = TestRuntime::start().await.unwrap();
    let begin = runtime.clock().now();
    let handle = has_limits(&runtime.client(), false).start().await.unwrap();
    runtime.settled().await;
    assert_eq!(runtime.store().stats().await.unwrap().activities, 1);
    runtime.advance(MINUTE).await;
    assert_eq!(runtime.store().stats().await.unwrap().activities, 0, "the call is taken back");
    let late = || Seen::Late("it took longer than it was given".into());
    assert_eq!(runtime.finish(&handle).await.unwrap(), [late(), late(), late()]);
    assert_eq!(runtime.clock().now(), begin.saturating_add(MINUTE * 5));
    assert_eq!(runtime.settled().await, None, "no timer is left");
    runtime.shutdown().await;
}
