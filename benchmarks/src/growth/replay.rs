//! A restart, then an event for an instance with so many events of history: it is read and replayed before it goes on.

use std::time::Instant;

use durable_workloads::{Engine as _, Line, Note, Result, millis};

use super::Trial;
use crate::work::{Go, steps_then_wait};

/// How many events a step adds: scheduled, completed.
const EVENTS: usize = 2;

pub(super) async fn replay(mut trial: Trial, sizes: &[usize]) -> Result<Vec<Line>> {
    trial.settings.events = 2 * sizes.iter().copied().max().unwrap_or_default() as u64;
    for &size in sizes {
        let id = format!("long-{size}");
        let engine = trial.open().await?;
        let begin = Instant::now();
        steps_then_wait(engine.client(), size / EVENTS, Note::new(0)).id(&id).start().await?;
        trial.settings.stamps.next().await;
        let first_run = begin.elapsed();
        engine.close().await?;
        let engine = trial.open().await?;
        let begin = Instant::now();
        let handle = engine.client().handle::<steps_then_wait>(&id)?;
        handle.raise(Go { note: Note::new(1) }).await?;
        handle.result().await?;
        let replayed = begin.elapsed();
        engine.close().await?;
        let figures = [("replay_ms", millis(replayed)), ("first_run_ms", millis(first_run))];
        trial.found(format!("{size} events"), size, figures);
    }
    trial.lines()
}
