//! W8: instances that wait for an event: memory of each, in memory between turns and not; disk of each; how soon one can
//! go on after a restart, and all of them.

use std::ops::Range;
use std::time::Instant;

use futures_util::{StreamExt as _, TryStreamExt as _, stream};
use serde_json::json;

use crate::engine::{Engine, Job};
use crate::line::{Figures, Line};
use crate::machine::{millis, resident_bytes};
use crate::note::Note;
use crate::program::{Bench, Measure, Workload};
use crate::{Progress, Result};

/// How many instances unless something else is said.
const COUNT: usize = 10_000;
/// How many at most are started before any is measured: they fill caches and buffers that have a bound.
const WARM_UP: usize = 20_000;

pub(crate) async fn waiting<E: Engine>(arguments: &Measure<E::Settings>) -> Result<Line> {
    let count = arguments.count(COUNT);
    let bench = Bench::<E>::new(arguments)?;
    let mut figures = Figures::new();
    let warm_up = count.min(WARM_UP);
    let mut stored = count + warm_up;
    // In this order: what the second leaves behind would serve the first, and hide what it needs.
    let cached = E::live_executions(&arguments.settings, count + warm_up);
    if let Some(evicting) = E::live_executions(&arguments.settings, 1) {
        let engine = bench.open_with(&evicting).await?;
        figures.insert("resident_bytes_each_evicted".to_owned(), fill(&engine, count, "evicted").await?);
        engine.close().await?;
        stored += count + warm_up;
    }
    let engine = bench.open_with(cached.as_ref().unwrap_or(&arguments.settings)).await?;
    figures.insert("resident_bytes_each_in_memory".to_owned(), fill(&engine, count, "cached").await?);
    figures.insert("resident_mib_in_all".to_owned(), resident_bytes(&engine.processes())? as f64 / 1_048_576.0);
    engine.close().await?;
    figures.insert("disk_bytes_each".to_owned(), bench.store_bytes()? as f64 / stored as f64);
    if E::persists(&arguments.settings) {
        restart(&bench, count, &mut figures).await?;
    }
    let options = json!({ "count": count, "in_the_store_at_the_restart": stored });
    bench.line(Workload::W8, options, |_| figures)
}

/// Starts so many instances that wait, and before them some to warm up; answers how much memory each has added.
async fn fill<E: Engine>(engine: &E, count: usize, prefix: &str) -> Result<f64> {
    start_waiting(engine, 0..count.min(WARM_UP), &format!("{prefix}-first")).await?;
    let before = resident_bytes(&engine.processes())?;
    start_waiting(engine, 0..count, prefix).await?;
    let after = resident_bytes(&engine.processes())?;
    Ok(after.saturating_sub(before) as f64 / count as f64)
}

/// From the call that opens the store: until it is open, until one instance has ended, until so many have.
async fn restart<E: Engine>(bench: &Bench<E>, count: usize, figures: &mut Figures) -> Result {
    let progress = Progress::new("W8 restart", count);
    let begin = Instant::now();
    let engine = bench.open().await?;
    figures.insert("restart_open_ms".to_owned(), millis(begin.elapsed()));
    let one = async |number: usize| -> Result {
        let (id, note) = (format!("cached-{number}"), Note::new(number as u64));
        engine.raise(&id, &note).await?;
        engine.result(&id, &Job::Wait { note }).await?;
        progress.step();
        Ok(())
    };
    one(0).await?;
    figures.insert("restart_first_progress_ms".to_owned(), millis(begin.elapsed()));
    stream::iter((1..count).map(one)).buffer_unordered(256).try_collect::<()>().await?;
    figures.insert("restart_all_ms".to_owned(), millis(begin.elapsed()));
    engine.close().await
}

/// Starts instances that wait for an event, named after the prefix and their number.
///
/// # Errors
/// What the engine says.
pub async fn start_waiting<E: Engine>(engine: &E, numbers: Range<usize>, prefix: &str) -> Result {
    let progress = Progress::new(format!("waiting instances ({prefix})"), numbers.len());
    let one = async |number: usize| -> Result {
        engine.start(&format!("{prefix}-{number}"), &Job::Wait { note: Note::new(number as u64) }).await?;
        progress.step();
        Ok(())
    };
    stream::iter(numbers.map(one)).buffer_unordered(256).try_collect().await
}
