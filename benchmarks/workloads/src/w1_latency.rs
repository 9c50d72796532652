//! W1: one orchestration with one activity, one after another; from the start call to the result in hand.

use std::time::Instant;

use serde_json::json;

use crate::engine::{Engine, Job};
use crate::line::Line;
use crate::machine::{millis, percentile};
use crate::note::Note;
use crate::program::{Bench, Measure, Workload, figures};
use crate::{Progress, Result};

/// How many unless something else is said.
const COUNT: usize = 200;
/// How many are run before any is measured: connections are made, code is read from disk.
const WARM_UP: usize = 5;

pub(crate) async fn latency<E: Engine>(arguments: &Measure<E::Settings>) -> Result<Line> {
    let count = arguments.count(COUNT);
    let bench = Bench::<E>::new(arguments)?;
    let engine = bench.open().await?;
    let progress = Progress::new("W1 latency", count);
    let mut durations = Vec::with_capacity(count);
    for number in 0..count + WARM_UP {
        let job = Job::Steps { count: 1, note: Note::new(number as u64) };
        let begin = Instant::now();
        engine.run(&format!("w1-{number}"), &job).await?;
        if number >= WARM_UP {
            durations.push(begin.elapsed());
        }
        progress.step();
    }
    engine.close().await?;
    let (p50, p99) = (millis(percentile(&mut durations, 0.5)), millis(percentile(&mut durations, 0.99)));
    let options = json!({ "count": count, "in_flight": 1 });
    bench.line(Workload::W1, options, |raw| {
        figures([("p50_ms", p50), ("p99_ms", p99), ("p50_in_raw_flushes", p50 / raw)])
    })
}
