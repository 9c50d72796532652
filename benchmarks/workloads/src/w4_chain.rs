//! W4: a chain of activities in one instance.

use serde_json::json;

use crate::engine::{Engine, Job};
use crate::line::Line;
use crate::machine::{Meter, millis};
use crate::note::Note;
use crate::program::{Bench, Measure, Workload, figures};
use crate::{Progress, Result};

/// How long the chains are unless something else is said.
const LENGTHS: [usize; 3] = [200, 1_000, 5_000];

pub(crate) async fn chains<E: Engine>(arguments: &Measure<E::Settings>) -> Result<Vec<Line>> {
    let lengths = if arguments.count.is_empty() { &LENGTHS[..] } else { &arguments.count };
    let progress = Progress::new("W4 chain", lengths.len());
    let mut lines = Vec::new();
    for &length in lengths {
        progress.say(format!("W4 chain of {length}"));
        lines.push(chain::<E>(arguments, length).await?);
        progress.step();
    }
    Ok(lines)
}

async fn chain<E: Engine>(arguments: &Measure<E::Settings>, length: usize) -> Result<Line> {
    let mut bench = Bench::<E>::new(arguments)?;
    bench = bench.with_settings(E::for_events(&arguments.settings, 3 * length as u64));
    let engine = bench.open().await?;
    let meter = Meter::start(engine.processes())?;
    engine.run("w4", &Job::Steps { count: length, note: Note::new(0) }).await?;
    let (elapsed, processor) = meter.read()?;
    engine.close().await?;
    let each = millis(elapsed) / length as f64;
    let line = bench.line(Workload::W4, json!({ "length": length }), |raw| {
        figures([
            ("ms_per_activity", each),
            ("in_raw_flushes", each / raw),
            ("cpu_ms_per_activity", millis(processor) / length as f64),
        ])
    })?;
    Ok(line.part(format!("{length} activities")))
}
