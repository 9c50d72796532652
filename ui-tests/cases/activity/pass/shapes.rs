#![allow(unused)]

use durable_runtime::prelude::*;

#[derive(Debug, Serialize, Deserialize)]
struct Declined;

type ShopResult<T> = Result<T, Declined>;

struct Rates(u64);

/// With everything.
#[activity(
    name = "charge-card",
    retry(max_attempts = 5, initial = "200ms", factor = 2, max = "1m 30s"),
    timeout = "1h",
    heartbeat = "10s",
    tag = "gpu"
)]
async fn charge(ctx: ActivityContext, rates: State<Rates>, mut cents: u64, r#type: Option<String>) -> ShopResult<u64> {
    cents *= rates.0;
    if r#type.is_some() { Err(Declined) } else { Ok(cents) }
}

#[activity]
async fn nothing() {}

#[activity]
fn blocking(items: Vec<String>) -> usize {
    items.len()
}

#[activity]
fn r#match(caller: u8, ctx: u8) -> u8 {
    caller + ctx
}

#[orchestration]
async fn calls_them(ctx: OrchestrationContext) -> Result<u64, ActivityError<Declined>> {
    let _: Result<(), ActivityError> = nothing(&ctx).await;
    let _: Result<usize, ActivityError> = blocking(&ctx, vec![]).await;
    let _: Result<u8, ActivityError> = r#match(&ctx, 1, 2).await;
    charge(&ctx, 5, None).timeout(Duration::from_secs(1)).await
}

fn main() {
    assert_eq!(charge::NAME, "charge-card");
    assert_eq!(blocking::run(vec!["a".into()]), 1);
    assert_eq!(r#match::NAME, "match");
}
