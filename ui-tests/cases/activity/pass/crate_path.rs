#![allow(unused)]

use durable_runtime::prelude::*;

mod reexported {
    pub(crate) use durable_runtime as steps;
}

#[activity(crate = crate::reexported::steps)]
async fn charge() -> u64 {
    5
}

#[derive(Event, Serialize, Deserialize)]
#[event(crate = crate::reexported::steps)]
struct Approved;

#[deterministic(crate = reexported::steps)]
async fn helper(ctx: OrchestrationContext) {
    ctx.timer(Duration::from_secs(1)).await;
}

#[orchestration(crate = crate::reexported::steps)]
async fn process(ctx: OrchestrationContext) -> Result<u64, ActivityError> {
    let (first, ()) = join!(charge(&ctx), helper(ctx));
    select! {
        second = charge(&ctx) => Ok(first? + second?),
        Approved = ctx.event() => first,
    }
}

fn main() {}
