//! What is run: activities return their input, payloads are a short JSON object of about 100 bytes.

use std::sync::{Arc, Mutex, PoisonError};
use std::time::Instant;

use durable_runtime::prelude::*;
use durable_workloads::{Note, ran};
use tokio::sync::Notify;

#[activity]
async fn echo(note: Note) -> Note {
    ran(&note);
    note
}

/// A chain of activities.
#[orchestration]
pub(crate) async fn steps(ctx: OrchestrationContext, count: usize, note: Note) -> Result<Note, ActivityError> {
    let mut note = note;
    for _ in 0..count {
        note = echo(&ctx, note).await?;
    }
    Ok(note)
}

/// As `steps`, and an activity that says when it ran; then an event is waited for.
#[orchestration]
pub(crate) async fn steps_then_wait(
    ctx: OrchestrationContext,
    count: usize,
    note: Note,
) -> Result<Note, ActivityError> {
    for _ in 0..count {
        echo(&ctx, note.clone()).await?;
    }
    stamp(&ctx, note).await?;
    Ok(ctx.event::<Go>().await.note)
}

/// As `steps`, with activities that say when they ran.
#[orchestration]
pub(crate) async fn stamped(ctx: OrchestrationContext, count: usize, note: Note) -> Result<Note, ActivityError> {
    for _ in 0..count {
        stamp(&ctx, note.clone()).await?;
    }
    Ok(note)
}

#[activity]
async fn stamp(stamps: State<Stamps>, note: Note) -> Note {
    stamps.add();
    note
}

/// When activities ran.
#[derive(Debug, Clone, Default)]
pub(crate) struct Stamps {
    times: Arc<Mutex<Vec<Instant>>>,
    one_more: Arc<Notify>,
}

impl Stamps {
    fn add(&self) {
        self.times.lock().unwrap_or_else(PoisonError::into_inner).push(Instant::now());
        self.one_more.notify_one();
    }

    /// Waits for one that was not waited for.
    pub(crate) async fn next(&self) {
        self.one_more.notified().await;
    }

    /// All of them, in order.
    pub(crate) fn take(&self) -> Vec<Instant> {
        std::mem::take(&mut *self.times.lock().unwrap_or_else(PoisonError::into_inner))
    }
}

/// Activities at once.
#[orchestration]
pub(crate) async fn fan_out(ctx: OrchestrationContext, count: usize, note: Note) -> Result<Note, ActivityError> {
    let notes = try_join_all((0..count).map(|_| echo(&ctx, note.clone()))).await?;
    Ok(notes.into_iter().next_back().unwrap_or(note))
}

/// A timer.
#[orchestration]
pub(crate) async fn sleep(ctx: OrchestrationContext, millis: u64, note: Note) -> Note {
    ctx.timer(Duration::from_millis(millis)).await;
    note
}

/// What the waiting ones wait for.
#[derive(Event, Serialize, Deserialize)]
pub(crate) struct Go {
    /// What they return.
    pub(crate) note: Note,
}

/// An event.
#[orchestration]
pub(crate) async fn waiting(ctx: OrchestrationContext, note: Note) -> Note {
    let go = ctx.event::<Go>().await;
    if go.note == note { note } else { go.note }
}

/// Executions, one after another.
#[orchestration]
pub(crate) async fn generations(ctx: OrchestrationContext, count: usize, note: Note) -> Note {
    if count == 0 {
        return note;
    }
    generations(&ctx, count - 1, note).continue_as_new().await
}
