//! One chain as long as the largest size; the time of a step is the mean of up to 200 that end there.

use std::time::Instant;

use durable_workloads::{Engine as _, Line, Note, Result, millis};

use super::Trial;
use crate::work::stamped;

/// How many events a step adds: scheduled, completed.
const EVENTS: usize = 2;
/// Over how many steps the mean is taken.
const STEPS: usize = 200;

pub(super) async fn steps(mut trial: Trial, sizes: &[usize]) -> Result<Vec<Line>> {
    let longest = sizes.iter().copied().max().unwrap_or_default();
    trial.settings.events = (EVENTS * longest) as u64;
    let engine = trial.open().await?;
    let chain = stamped(engine.client(), longest / EVENTS + 1, Note::new(0)).id("chain").start().await?;
    chain.result().await?;
    engine.close().await?;
    let stamps = trial.settings.stamps.take();
    for &size in sizes {
        let end = size / EVENTS;
        let begin = end.saturating_sub(STEPS);
        if let (Some(first), Some(last)) = (stamps.get(begin), stamps.get(end)) {
            let each = millis(Instant::duration_since(last, *first)) / (end - begin) as f64;
            trial.found(format!("{size} events"), size, [("ms_per_activity", each)]);
        }
    }
    trial.lines()
}
