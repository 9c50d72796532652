//! So many committers side by side for some time.

use std::time::{Duration, Instant};

use durable_workloads::Result;

use super::together;

/// What they have done.
pub(super) struct Measured {
    /// How long each commit took.
    pub(super) durations: Vec<Duration>,
    elapsed: Duration,
}

impl Measured {
    /// Commits a second.
    pub(super) fn rate(&self) -> f64 {
        self.durations.len() as f64 / self.elapsed.as_secs_f64()
    }
}

/// Runs committers, each with its number and the moment at which it ends.
pub(super) async fn run<F>(committers: usize, lasting: Duration, work: impl Fn(usize, Instant) -> F) -> Result<Measured>
where
    F: Future<Output = Result<Vec<Duration>>> + Send + 'static,
{
    let begin = Instant::now();
    let each = (0..committers).map(|committer| {
        let work = work(committer, begin + lasting);
        async move { work.await.map_err(|error| error.to_string()) }
    });
    let durations = together(each).await?.concat();
    Ok(Measured { durations, elapsed: begin.elapsed() })
}

/// The one in the middle.
pub(super) fn median(figures: &mut [f64]) -> f64 {
    figures.sort_unstable_by(f64::total_cmp);
    figures.get(figures.len() / 2).copied().unwrap_or_default()
}
