//! From the call that opens the store until it is open, and until one of so many waiting instances has ended.

use std::time::Instant;

use durable_workloads::{Engine as _, Job, Line, Note, Result, millis, start_waiting};

use super::Trial;

pub(super) async fn restart(mut trial: Trial, sizes: &[usize]) -> Result<Vec<Line>> {
    let mut waiting = 0;
    for &size in sizes {
        let engine = trial.open().await?;
        start_waiting(&engine, waiting..size.max(waiting), "waiting").await?;
        waiting = size.max(waiting);
        engine.close().await?;
        let begin = Instant::now();
        let engine = trial.open().await?;
        let open = begin.elapsed();
        // The last that was started: it waits, whatever the size was before.
        let (id, note) = (format!("waiting-{}", waiting.saturating_sub(1)), Note::new(0));
        engine.raise(&id, &note).await?;
        engine.result(&id, &Job::Wait { note }).await?;
        let first = begin.elapsed();
        engine.close().await?;
        let figures = [("restart_open_ms", millis(open)), ("restart_first_progress_ms", millis(first))];
        trial.found(format!("{size} waiting"), size, figures);
    }
    trial.lines()
}
