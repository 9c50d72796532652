//! W3: fan-out and join: one instance of many activities, and ten instances of a tenth each.

use futures_util::{StreamExt as _, TryStreamExt as _, stream};
use serde_json::json;

use crate::engine::{Engine, Job};
use crate::line::Line;
use crate::machine::{Meter, millis};
use crate::note::Note;
use crate::program::{Bench, Measure, Workload, figures};
use crate::{Progress, Result};

/// How many activities unless something else is said.
const COUNT: usize = 1_000;
/// How many instances the second part has.
const INSTANCES: usize = 10;

pub(crate) async fn fan_out<E: Engine>(arguments: &Measure<E::Settings>) -> Result<Vec<Line>> {
    let count = arguments.count(COUNT);
    Ok(vec![part::<E>(arguments, 1, count).await?, part::<E>(arguments, INSTANCES, count / INSTANCES).await?])
}

async fn part<E: Engine>(arguments: &Measure<E::Settings>, instances: usize, activities: usize) -> Result<Line> {
    let mut bench = Bench::<E>::new(arguments)?;
    bench = bench.with_settings(E::for_events(&arguments.settings, 3 * activities as u64));
    let engine = bench.open().await?;
    let progress = Progress::new(format!("W3 fan-out {instances} x {activities}"), instances);
    let meter = Meter::start(engine.processes())?;
    let one = async |number: usize| -> Result {
        let job = Job::FanOut { count: activities, note: Note::new(number as u64) };
        engine.run(&format!("w3-{number}"), &job).await?;
        progress.step();
        Ok(())
    };
    stream::iter((0..instances).map(one)).buffer_unordered(instances).try_collect::<()>().await?;
    let (elapsed, processor) = meter.read()?;
    engine.close().await?;
    let all = (instances * activities) as f64;
    let options = json!({ "instances": instances, "activities_each": activities });
    let line = bench.line(Workload::W3, options, |_| {
        figures([
            ("total_ms", millis(elapsed)),
            ("activities_per_s", all / elapsed.as_secs_f64()),
            ("cpu_ms_per_activity", millis(processor) / all),
        ])
    })?;
    Ok(line.part(format!("{instances} x {activities} activities")))
}
