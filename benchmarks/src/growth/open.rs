//! W2 beside instances that wait.

use durable_workloads::{Engine as _, Line, Meter, Result, millis, run_many, start_waiting};

use super::Trial;

/// How much is run beside them.
const COUNT: usize = 2_000;
const IN_FLIGHT: usize = 256;

pub(super) async fn open(mut trial: Trial, sizes: &[usize]) -> Result<Vec<Line>> {
    let engine = trial.open().await?;
    let mut waiting = 0;
    for &size in sizes {
        start_waiting(&engine, waiting..size.max(waiting), "waiting").await?;
        waiting = size.max(waiting);
        // What the store has left to do for those that were started is no part of what is run beside them.
        run_many(&engine, &format!("warm-up-{size}"), COUNT, IN_FLIGHT).await?;
        let meter = Meter::start(Vec::new())?;
        run_many(&engine, &format!("beside-{size}"), COUNT, IN_FLIGHT).await?;
        let (elapsed, processor) = meter.read()?;
        let figures = [
            ("orchestrations_per_s", COUNT as f64 / elapsed.as_secs_f64()),
            ("cpu_ms_per_orchestration", millis(processor) / COUNT as f64),
        ];
        trial.found(format!("{size} open"), size, figures);
    }
    engine.close().await?;
    trial.lines()
}
