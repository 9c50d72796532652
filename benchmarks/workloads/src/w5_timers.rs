//! W5: orchestrations that sleep a second, started together; then as many that sleep much longer while nothing happens.

use std::time::{Duration, Instant};

use futures_util::{StreamExt as _, TryStreamExt as _, stream};
use serde_json::json;

use crate::engine::{Engine, Job};
use crate::line::Line;
use crate::machine::{Meter, millis, percentile};
use crate::note::Note;
use crate::program::{Bench, Measure, Workload, figures};
use crate::{Progress, Result};

/// How many orchestrations unless something else is said.
const COUNT: usize = 2_000;
/// How long each sleeps.
const SLEEP: Duration = Duration::from_secs(1);
/// How long the idle machine is watched, after it has come to rest for a while.
const REST: Duration = Duration::from_secs(2);
const WATCH: Duration = Duration::from_secs(6);

pub(crate) async fn timers<E: Engine>(arguments: &Measure<E::Settings>) -> Result<Line> {
    let count = arguments.count(COUNT);
    let bench = Bench::<E>::new(arguments)?;
    let engine = bench.open().await?;
    let mut late = together(&engine, count).await?;
    asleep(&engine, count).await?;
    tokio::time::sleep(REST).await;
    let meter = Meter::start(engine.processes())?;
    tokio::time::sleep(WATCH).await;
    let (elapsed, processor) = meter.read()?;
    engine.close().await?;
    let (p50, p99) = (millis(percentile(&mut late, 0.5)), millis(percentile(&mut late, 0.99)));
    let idle = 100.0 * processor.as_secs_f64() / elapsed.as_secs_f64();
    let options =
        json!({ "count": count, "sleep_ms": 1_000, "late": "result in hand, less start acknowledged, less 1 s" });
    bench.line(Workload::W5, options, |_| {
        figures([("late_p50_ms", p50), ("late_p99_ms", p99), ("idle_cpu_percent_of_a_core", idle)])
    })
}

/// Starts them all at once; answers how late each result was.
async fn together<E: Engine>(engine: &E, count: usize) -> Result<Vec<Duration>> {
    let progress = Progress::new("W5 timers", count);
    let one = async |number: usize| -> Result<Duration> {
        let id = format!("w5-{number}");
        let job = Job::Sleep { millis: 1_000, note: Note::new(number as u64) };
        engine.start(&id, &job).await?;
        let due = Instant::now() + SLEEP;
        engine.result(&id, &job).await?;
        progress.step();
        Ok(due.elapsed())
    };
    stream::iter((0..count).map(one)).buffer_unordered(count).try_collect().await
}

/// Starts as many that sleep for ten minutes and more, each a little longer.
async fn asleep<E: Engine>(engine: &E, count: usize) -> Result {
    let one = async |number: usize| -> Result {
        let job = Job::Sleep { millis: 600_000 + 97 * number as u64, note: Note::new(number as u64) };
        engine.start(&format!("w5-asleep-{number}"), &job).await
    };
    stream::iter((0..count).map(one)).buffer_unordered(256).try_collect().await
}
