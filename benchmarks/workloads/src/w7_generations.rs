//! W7: continue-as-new, so often.

use serde_json::json;

use crate::Result;
use crate::engine::{Engine, Job};
use crate::line::Line;
use crate::machine::{Meter, millis};
use crate::note::Note;
use crate::program::{Bench, Measure, Workload, figures};

/// How often unless something else is said.
const COUNT: usize = 1_000;

pub(crate) async fn generations<E: Engine>(arguments: &Measure<E::Settings>) -> Result<Line> {
    let count = arguments.count(COUNT);
    let bench = Bench::<E>::new(arguments)?;
    let engine = bench.open().await?;
    let meter = Meter::start(engine.processes())?;
    engine.run("w7", &Job::Generations { count, note: Note::new(0) }).await?;
    let (elapsed, processor) = meter.read()?;
    engine.close().await?;
    let each = millis(elapsed) / count as f64;
    bench.line(Workload::W7, json!({ "generations": count }), |raw| {
        figures([
            ("ms_per_generation", each),
            ("in_raw_flushes", each / raw),
            ("cpu_ms_per_generation", millis(processor) / count as f64),
        ])
    })
}
