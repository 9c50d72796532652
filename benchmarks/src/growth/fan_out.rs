//! One instance that waits for so many activities at once.

use durable_workloads::{Engine as _, Job, Line, Meter, Note, Result, millis};

use super::Trial;

pub(super) async fn fan_out(mut trial: Trial, sizes: &[usize]) -> Result<Vec<Line>> {
    trial.settings.events = 3 * sizes.iter().copied().max().unwrap_or_default() as u64;
    let engine = trial.open().await?;
    for &size in sizes {
        let meter = Meter::start(Vec::new())?;
        engine.run(&format!("fan-out-{size}"), &Job::FanOut { count: size, note: Note::new(0) }).await?;
        let (elapsed, processor) = meter.read()?;
        let figures = [
            ("total_ms", millis(elapsed)),
            ("ms_per_activity", millis(elapsed) / size as f64),
            ("cpu_ms_per_activity", millis(processor) / size as f64),
        ];
        trial.found(format!("{size} activities"), size, figures);
    }
    engine.close().await?;
    trial.lines()
}
