//! Processor time while so many instances sleep.

use std::time::Duration;

use durable_workloads::{Engine as _, Job, Line, Meter, Note, Progress, Result, resident_bytes};
use futures_util::{StreamExt as _, TryStreamExt as _, stream};

use super::Trial;
use crate::ours::Ours;

/// How long the machine comes to rest, and how long it is watched then.
const REST: Duration = Duration::from_secs(3);
const WATCH: Duration = Duration::from_secs(10);

pub(super) async fn idle(mut trial: Trial, sizes: &[usize]) -> Result<Vec<Line>> {
    for &size in sizes {
        trial.begin_anew()?;
        let engine = trial.open().await?;
        sleepers(&engine, size).await?;
        tokio::time::sleep(REST).await;
        let meter = Meter::start(Vec::new())?;
        tokio::time::sleep(WATCH).await;
        let (elapsed, processor) = meter.read()?;
        let figures = [
            ("idle_cpu_percent_of_a_core", 100.0 * processor.as_secs_f64() / elapsed.as_secs_f64()),
            ("resident_mib_in_all", resident_bytes(&[])? as f64 / 1_048_576.0),
        ];
        engine.close().await?;
        trial.found(format!("{size} asleep"), size, figures);
    }
    trial.lines()
}

/// Each sleeps for an hour and a little longer than the one before.
async fn sleepers(engine: &Ours, size: usize) -> Result {
    let progress = Progress::new("sleeping instances", size);
    let one = async |number: usize| -> Result {
        let job = Job::Sleep { millis: 3_600_000 + 17 * number as u64, note: Note::new(number as u64) };
        engine.start(&format!("asleep-{number}"), &job).await?;
        progress.step();
        Ok(())
    };
    stream::iter((0..size).map(one)).buffer_unordered(256).try_collect().await
}
