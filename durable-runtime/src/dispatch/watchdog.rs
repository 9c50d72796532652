//! Turns that take too long: seen by the engine's thread while they run, and not kept when they are over.

use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::{Duration, Instant};

use super::suspended::Suspended;
use crate::ids::InstanceId;

/// How often the turns that run are looked at.
const LOOK_EVERY: Duration = Duration::from_millis(250);

/// What one shard runs at the moment.
#[derive(Clone, Default)]
pub(super) struct Watch(Arc<Mutex<Option<Running>>>);

struct Running {
    instance: InstanceId,
    since: Instant,
    reported: bool,
}

impl Watch {
    /// Runs a turn where the watchdog sees it; says how long it took.
    pub(super) fn over<R>(&self, instance: &InstanceId, run: impl FnOnce() -> R) -> (R, Duration) {
        let since = Instant::now();
        *self.lock() = Some(Running { instance: instance.clone(), since, reported: false });
        let result = run();
        *self.lock() = None;
        (result, since.elapsed())
    }

    fn lock(&self) -> MutexGuard<'_, Option<Running>> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }

    fn look(&self, budget: Duration, suspended: &Suspended) {
        let mut running = self.lock();
        let Some(running) = running.as_mut().filter(|running| !running.reported && running.since.elapsed() > budget)
        else {
            return;
        };
        running.reported = true;
        tracing::error!(instance = %running.instance, "a turn runs for longer than {budget:?}; its shard does nothing else");
        suspended.note(&running.instance, too_long(budget));
    }
}

/// What is said of such a turn.
pub(super) fn too_long(budget: Duration) -> String {
    format!(
        "a turn ran for longer than {}; an orchestration only decides: move what takes time into an activity, and look for \
         a loop that never awaits",
        humantime::format_duration(budget)
    )
}

/// Looks at all shards, for ever.
pub(super) async fn watch(shards: Vec<Watch>, budget: Duration, suspended: Arc<Suspended>) {
    let mut interval = tokio::time::interval(LOOK_EVERY);
    interval.set_missed_tick_behavior(tokio::time::MissedTickBehavior::Delay);
    loop {
        interval.tick().await;
        shards.iter().for_each(|shard| shard.look(budget, &suspended));
    }
}
