#![allow(unused)]

use durable_runtime::prelude::*;

/// Docs.
#[activity]
#[allow(clippy::unwrap_used)]
#[cfg(not(any()))]
#[deprecated(note = "old")]
async fn kept() {}

#[cfg(any())]
#[activity]
async fn gone(card: NoSuchType) {}

#[activity]
#[cfg(any())]
async fn gone_too(card: NoSuchType) {}

#[expect(deprecated)]
#[orchestration]
async fn calls_it(ctx: OrchestrationContext) {
    let _ = kept(&ctx).await;
}

fn main() {}
