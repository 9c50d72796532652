#![allow(unused)]

use durable_runtime::prelude::*;

#[activity]
async fn charge() -> Result<u64, String> {
    Ok(5)
}

#[deterministic]
async fn in_time(ctx: OrchestrationContext) -> Result<u64, ActivityError<String>> {
    let cents = select! {
        charged = charge(&ctx) => charged?,
        () = ctx.timer(Duration::from_secs(5)) => 0,
    };
    Ok(cents)
}

fn main() {}
