//! What is run: activities return their input, payloads are a short JSON object of about 100 bytes.

use durable_runtime::prelude::*;

/// About 100 bytes of JSON.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub(crate) struct Note {
    customer: String,
    text: String,
    number: u64,
}

impl Note {
    pub(crate) fn new(number: u64) -> Self {
        Self { customer: format!("customer-{number:08}"), text: "a short text as payloads have".to_owned(), number }
    }
}

#[activity]
async fn echo(note: Note) -> Note {
    note
}

#[orchestration]
pub(crate) async fn one_step(ctx: OrchestrationContext, note: Note) -> Result<Note, ActivityError> {
    echo(&ctx, note).await
}

#[orchestration]
pub(crate) async fn three_steps(ctx: OrchestrationContext, note: Note) -> Result<Note, ActivityError> {
    let note = echo(&ctx, note).await?;
    let note = echo(&ctx, note).await?;
    echo(&ctx, note).await
}

#[orchestration]
pub(crate) async fn chain(ctx: OrchestrationContext, length: usize, note: Note) -> Result<Note, ActivityError> {
    let mut note = note;
    for _ in 0..length {
        note = echo(&ctx, note).await?;
    }
    Ok(note)
}

#[derive(Event, Serialize, Deserialize)]
pub(crate) struct Go {
    pub(crate) note: Note,
}

#[orchestration]
pub(crate) async fn waiting(ctx: OrchestrationContext, note: Note) -> Note {
    let go = ctx.event::<Go>().await;
    if go.note == note { note } else { go.note }
}
