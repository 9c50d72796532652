//! What is killed.

use std::collections::BTreeSet;

use durable_runtime::prelude::*;

use super::ledger;

/// Ends an instance that collects.
pub(super) const LAST: u64 = 0;
/// How many numbers one execution takes before the next one begins.
const A_GENERATION: u32 = 5;

#[activity]
pub(super) async fn crash_step(ctx: ActivityContext, number: u32) -> u32 {
    ledger::ran(&ctx.idempotency_key());
    number + 1
}

#[activity]
pub(super) fn crash_blocking_step(ctx: ActivityContext, number: u32) -> u32 {
    ledger::ran(&ctx.idempotency_key());
    number + 1
}

#[orchestration]
pub(super) async fn crash_chain(ctx: OrchestrationContext) -> Result<u32, ActivityError> {
    let mut number = crash_step(&ctx, 0).await?;
    number = crash_blocking_step(&ctx, number).await?;
    crash_step(&ctx, number).await
}

#[orchestration]
pub(super) async fn crash_join(ctx: OrchestrationContext) -> Result<u32, ActivityError> {
    let steps = (0..4).map(|number| crash_step(&ctx, number));
    Ok(try_join_all(steps).await?.into_iter().sum())
}

#[orchestration]
pub(super) async fn crash_timers(ctx: OrchestrationContext) -> Result<u32, ActivityError> {
    ctx.timer(Duration::from_millis(5)).await;
    select! {
        () = ctx.timer(Duration::from_millis(10)) => {},
        () = ctx.timer(Duration::from_secs(86_400)) => {},
    }
    let done = crash_step(&ctx, 0).await?;
    select! {
        // The loser may have run, or not, or be running when it is given up.
        _ = crash_step(&ctx, 10) => {},
        () = ctx.timer(Duration::ZERO) => {},
    }
    Ok(done)
}

/// Takes two numbers, whichever come first.
#[orchestration]
pub(super) async fn crash_pair(ctx: OrchestrationContext) -> u32 {
    ctx.event_named::<u64>("number").await;
    ctx.event_named::<u64>("number").await;
    2
}

#[orchestration]
pub(super) async fn crash_generations(ctx: OrchestrationContext, left: u32) -> Result<u32, ActivityError> {
    crash_step(&ctx, left).await?;
    if left == 0 { Ok(7) } else { crash_generations(&ctx, left - 1).continue_as_new().await }
}

#[orchestration]
pub(super) async fn crash_parent(ctx: OrchestrationContext) -> u32 {
    let (left, right) = join!(crash_chain(&ctx), crash_join(&ctx));
    left.unwrap_or(0) + right.unwrap_or(0)
}

/// Takes numbers, a few an execution, until the last one; answers how many there were.
#[orchestration]
pub(super) async fn crash_collects(ctx: OrchestrationContext, before: u64) -> u64 {
    let mut count = before;
    for _ in 0..A_GENERATION {
        if ctx.event_named::<u64>("number").await == LAST {
            return count;
        }
        count += 1;
    }
    crash_collects(&ctx, count).continue_as_new().await
}

/// What each must return; `None` for those that it depends.
pub(super) fn expected(name: &str) -> Option<u32> {
    match name {
        "crash_chain" => Some(3),
        "crash_join" => Some(10),
        "crash_timers" => Some(1),
        "crash_pair" => Some(2),
        "crash_generations" => Some(7),
        "crash_parent" => Some(13),
        _ => None,
    }
}

/// The activities.
pub(super) fn activities() -> BTreeSet<String> {
    [crash_step::NAME, crash_blocking_step::NAME].map(str::to_owned).into()
}
