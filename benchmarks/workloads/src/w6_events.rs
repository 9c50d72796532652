//! W6: instances that wait for an event; one to each in a burst, then one by one.

use std::time::Instant;

use futures_util::{StreamExt as _, TryStreamExt as _, stream};
use serde_json::json;

use crate::engine::{Engine, Job};
use crate::line::Line;
use crate::machine::{Meter, millis, percentile};
use crate::note::Note;
use crate::program::{Bench, Measure, Workload, figures};
use crate::w8_waiting::start_waiting;
use crate::{Progress, Result};

/// How many instances unless something else is said.
const COUNT: usize = 1_000;
/// One in so many is raised one by one afterwards.
const SINGLE: usize = 5;

pub(crate) async fn events<E: Engine>(arguments: &Measure<E::Settings>) -> Result<Line> {
    let count = arguments.count(COUNT);
    let bench = Bench::<E>::new(arguments)?;
    let engine = bench.open().await?;
    let progress = Progress::new("W6 events", count + count / SINGLE);
    start_waiting(&engine, 0..count, "burst").await?;
    start_waiting(&engine, 0..count / SINGLE, "single").await?;
    let meter = Meter::start(engine.processes())?;
    let one = async |number: usize| -> Result {
        raise_and_wait(&engine, &format!("burst-{number}"), number).await?;
        progress.step();
        Ok(())
    };
    stream::iter((0..count).map(one)).buffer_unordered(256).try_collect::<()>().await?;
    let (burst, processor) = meter.read()?;
    let mut durations = Vec::new();
    for number in 0..count / SINGLE {
        let begin = Instant::now();
        raise_and_wait(&engine, &format!("single-{number}"), number).await?;
        durations.push(begin.elapsed());
        progress.step();
    }
    engine.close().await?;
    let (p50, p99) = (millis(percentile(&mut durations, 0.5)), millis(percentile(&mut durations, 0.99)));
    bench.line(Workload::W6, json!({ "count": count, "in_flight": 256, "one_by_one": count / SINGLE }), |raw| {
        figures([
            ("events_per_s", count as f64 / burst.as_secs_f64()),
            ("cpu_ms_per_event", millis(processor) / count as f64),
            ("p50_ms", p50),
            ("p99_ms", p99),
            ("p50_in_raw_flushes", p50 / raw),
        ])
    })
}

async fn raise_and_wait<E: Engine>(engine: &E, id: &str, number: usize) -> Result {
    let note = Note::new(number as u64);
    engine.raise(id, &note).await?;
    let result = engine.result(id, &Job::Wait { note: note.clone() }).await?;
    if result == note { Ok(()) } else { Err("an event came to the wrong instance".into()) }
}
