//! W2: orchestrations of three activities, so many in flight.

use futures_util::{StreamExt as _, TryStreamExt as _, stream};
use serde_json::json;

use crate::engine::{Engine, Job};
use crate::line::Line;
use crate::machine::{Meter, millis};
use crate::note::Note;
use crate::program::{Bench, Measure, Workload, figures};
use crate::{Progress, Result};

/// How many orchestrations unless something else is said.
const COUNT: usize = 2_000;
/// How many activities each has.
pub(crate) const STEPS: usize = 3;

pub(crate) async fn throughput<E: Engine>(arguments: &Measure<E::Settings>) -> Result<Line> {
    let (count, in_flight) = (arguments.count(COUNT), arguments.in_flight);
    let bench = Bench::<E>::new(arguments)?;
    let engine = bench.open().await?;
    let meter = Meter::start(engine.processes())?;
    run_many(&engine, "w2", count, in_flight).await?;
    let (elapsed, processor) = meter.read()?;
    engine.close().await?;
    let disk = bench.store_bytes()? as f64 / count as f64;
    let per_s = count as f64 / elapsed.as_secs_f64();
    bench.line(Workload::W2, json!({ "count": count, "steps": STEPS, "in_flight": in_flight }), |_| {
        figures([
            ("orchestrations_per_s", per_s),
            ("activities_per_s", STEPS as f64 * per_s),
            ("cpu_ms_per_orchestration", millis(processor) / count as f64),
            ("disk_bytes_per_instance", disk),
        ])
    })
}

/// Runs so many orchestrations of three activities, so many at once.
///
/// # Errors
/// What the engine says, or that a result was not what it was started with.
pub async fn run_many<E: Engine>(engine: &E, prefix: &str, count: usize, in_flight: usize) -> Result {
    let progress = Progress::new(format!("orchestrations ({prefix})"), count);
    let one = async |number: usize| -> Result {
        let note = Note::new(number as u64);
        let job = Job::Steps { count: STEPS, note: note.clone() };
        let result = engine.run(&format!("{prefix}-{number}"), &job).await?;
        progress.step();
        if result == note { Ok(()) } else { Err("an activity changed its input".into()) }
    };
    stream::iter((0..count).map(one)).buffer_unordered(in_flight).try_collect().await
}
