//! Memory of instances that wait for an event.

use durable_workloads::{Engine as _, Line, Result, resident_bytes, start_waiting};

use super::Trial;

/// How many are started before any is measured: they fill caches and buffers that have a bound.
const WARM_UP: usize = 20_000;

pub(super) async fn waiting(mut trial: Trial, sizes: &[usize]) -> Result<Vec<Line>> {
    for &size in sizes {
        // In this order: what is freed after the second would serve the first, and hide what it needs.
        let evicted = memory(&mut trial, size, 1).await?;
        let disk = trial.store_bytes()? / (size + size.min(WARM_UP)) as f64;
        let in_memory = memory(&mut trial, size, size + WARM_UP).await?;
        let figures = [
            ("resident_bytes_each_evicted", evicted),
            ("resident_bytes_each_in_memory", in_memory),
            ("disk_bytes_each", disk),
        ];
        trial.found(format!("{size} waiting"), size, figures);
    }
    trial.lines()
}

async fn memory(trial: &mut Trial, size: usize, live_executions: usize) -> Result<f64> {
    trial.begin_anew()?;
    trial.settings.live_executions = Some(live_executions);
    let engine = trial.open().await?;
    start_waiting(&engine, 0..size.min(WARM_UP), "first").await?;
    let before = resident_bytes(&[])?;
    start_waiting(&engine, 0..size, "waiting").await?;
    let after = resident_bytes(&[])?;
    engine.close().await?;
    Ok(after.saturating_sub(before) as f64 / size as f64)
}
