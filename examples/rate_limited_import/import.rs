//! The import: a page after the other, the members of a page side by side, and a short history for any number of pages.

use std::path::PathBuf;

use durable_runtime::prelude::*;

use crate::members::{self, Member};
use crate::newsletter::{Busy, Newsletter};

/// Members that are subscribed side by side.
const ROWS_PER_PAGE: usize = 50;

/// After so many pages the history begins anew.
const PAGES_PER_EXECUTION: usize = 20;

#[derive(Debug, Serialize, Deserialize, thiserror::Error)]
pub(crate) enum ImportError {
    #[error("the file of members: {0}")]
    File(#[from] ActivityError<String>),
    #[error("the newsletter: {0}")]
    Newsletter(#[from] ActivityError<Busy>),
}

#[activity]
pub(crate) fn read_members(file: PathBuf, from: u64) -> Result<Vec<Member>, String> {
    members::read(&file, from, ROWS_PER_PAGE).map_err(|error| format!("{}: {error}", file.display()))
}

#[activity(retry(max_attempts = 10, initial = "20ms", factor = 2.0, max = "1s"))]
pub(crate) async fn subscribe(ctx: ActivityContext, newsletter: State<Newsletter>, member: Member) -> Result<(), Busy> {
    newsletter.subscribe(&ctx.idempotency_key(), &member.email, ctx.attempt()).await
}

/// Imports all from row `done` on, and returns how many rows the file has.
#[orchestration]
pub(crate) async fn import_members(ctx: OrchestrationContext, file: PathBuf, done: u64) -> Result<u64, ImportError> {
    let mut done = done;
    for _ in 0..PAGES_PER_EXECUTION {
        let page = read_members(&ctx, file.clone(), done).await?;
        if page.is_empty() {
            return Ok(done);
        }
        done += page.len() as u64;
        try_join_all(page.into_iter().map(|member| subscribe(&ctx, member))).await?;
        ctx.set_status(&done);
    }
    import_members(&ctx, file, done).continue_as_new().await
}
