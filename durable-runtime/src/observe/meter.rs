//! Counts and measures while a runtime works.

use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::Duration;

use super::distribution::Distribution;
use super::facade;
use super::metrics::{ActivityMetrics, Completions, Metrics};
use super::names;
use crate::clock::Clock;
use crate::history::EventKind;
use crate::providers::{Groups, Stats};

/// One for each runtime.
pub(crate) struct Meter {
    clock: Arc<dyn Clock>,
    metrics: Mutex<Metrics>,
}

/// What a turn has begun and ended, to be counted when it is kept.
#[derive(Default)]
pub(crate) struct TurnNotes {
    begun: Vec<String>,
    ended: Vec<(String, &'static str)>,
}

/// How an instance ends that is given up: the name of that event.
const POISONED: &str = "poisoned";

impl TurnNotes {
    pub(crate) fn begun(&mut self, orchestration: &str) {
        self.begun.push(orchestration.to_owned());
    }

    pub(crate) fn ended(&mut self, orchestration: &str, end: &EventKind) {
        self.ended.push((orchestration.to_owned(), end.name()));
    }
}

impl Meter {
    pub(crate) fn new(clock: Arc<dyn Clock>) -> Self {
        Self { clock, metrics: Mutex::default() }
    }

    /// All of it at the moment.
    pub(crate) fn read(&self, suspended: usize, store: Option<Stats>, groups: Groups) -> Metrics {
        facade::set(names::SUSPENDED, &[], suspended as f64);
        if let Some(stats) = &store {
            facade::set(names::QUEUE_DEPTH, &[("queue", "turns")], stats.turn_messages as f64);
            facade::set(names::QUEUE_DEPTH, &[("queue", "activities")], stats.activities as f64);
        }
        facade::reached(names::GROUPS, groups.times.count);
        facade::reached(names::GROUP_TRANSACTIONS, groups.sizes.sum);
        facade::reached(names::GROUP_TIME, groups.times.sum);
        Metrics { suspended: suspended as u64, store, groups, ..self.lock().clone() }
    }

    /// The moment, for [`Meter::since`].
    pub(crate) fn begin(&self) -> Duration {
        self.clock.elapsed()
    }

    fn since(&self, begin: Duration) -> Duration {
        self.clock.elapsed().saturating_sub(begin)
    }

    /// A turn was run; it is not kept yet.
    pub(crate) fn turn_ran(&self, begin: Duration) {
        let took = self.since(begin);
        self.time(names::TURN_TIME, took, |metrics| &mut metrics.turn_time);
    }

    /// A turn found its execution in memory.
    pub(crate) fn live_hit(&self) {
        self.lock().live_hits += 1;
        facade::count(names::LIVE_HITS, &[]);
    }

    /// A turn did not find its execution in memory, and replayed it.
    pub(crate) fn replayed(&self, begin: Duration) {
        let took = self.since(begin);
        self.lock().live_misses += 1;
        facade::count(names::LIVE_MISSES, &[]);
        self.time(names::REPLAY_TIME, took, |metrics| &mut metrics.replay_time);
    }

    /// A turn was leased; its oldest message had waited so long.
    pub(crate) fn turn_waited(&self, waited: Duration) {
        self.time(names::TURN_AGE, waited, |metrics| &mut metrics.turn_age);
    }

    /// A turn was kept.
    pub(crate) fn turn_kept(&self, notes: &TurnNotes) {
        for name in &notes.begun {
            *self.lock().starts.entry(name.clone()).or_default() += 1;
            facade::count(names::STARTS, &[("orchestration", name)]);
        }
        for (name, outcome) in &notes.ended {
            if *outcome == POISONED {
                self.poisoned();
            }
            let outcome = if *outcome == POISONED { "failed" } else { outcome };
            let mut metrics = self.lock();
            *metrics.completions.entry(name.clone()).or_default().of(outcome) += 1;
            drop(metrics);
            facade::count(names::COMPLETIONS, &[("orchestration", name), ("outcome", outcome)]);
        }
    }

    /// An attempt begins; if it is the first, the activity had waited so long.
    pub(crate) fn attempt_began(&self, activity: &str, waited: Option<Duration>) {
        self.activity(activity, |metrics| metrics.attempts += 1);
        facade::count(names::ATTEMPTS, &[("activity", activity)]);
        if let Some(waited) = waited {
            self.time(names::ACTIVITY_AGE, waited, |metrics| &mut metrics.activity_age);
        }
    }

    /// An attempt has come to an end.
    pub(crate) fn attempt_ended(&self, activity: &str, begin: Duration) {
        let took = self.since(begin);
        self.activity(activity, |metrics| metrics.attempt_time.add_time(took));
        facade::measure(names::ATTEMPT_TIME, &[("activity", activity)], took);
    }

    /// The attempt failed, and is followed by another.
    pub(crate) fn retried(&self, activity: &str) {
        self.activity(activity, |metrics| metrics.retries += 1);
        facade::count(names::RETRIES, &[("activity", activity)]);
    }

    /// The call comes back.
    pub(crate) fn activity_ended(&self, activity: &str, completed: bool) {
        self.activity(activity, |metrics| match completed {
            true => metrics.completed += 1,
            false => metrics.failed += 1,
        });
        let outcome = if completed { "completed" } else { "failed" };
        facade::count(names::ACTIVITIES, &[("activity", activity), ("outcome", outcome)]);
    }

    /// Something was given up because it never came to an end.
    pub(crate) fn poisoned(&self) {
        self.lock().poisoned += 1;
        facade::count(names::POISONED, &[]);
    }

    fn time(&self, name: &'static str, took: Duration, which: impl FnOnce(&mut Metrics) -> &mut Distribution) {
        which(&mut self.lock()).add_time(took);
        facade::measure(name, &[], took);
    }

    fn activity(&self, name: &str, change: impl FnOnce(&mut ActivityMetrics)) {
        let mut metrics = self.lock();
        match metrics.activities.get_mut(name) {
            Some(activity) => change(activity),
            None => change(metrics.activities.entry(name.to_owned()).or_default()),
        }
    }

    fn lock(&self) -> MutexGuard<'_, Metrics> {
        self.metrics.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl Completions {
    fn of(&mut self, outcome: &str) -> &mut u64 {
        match outcome {
            "completed" => &mut self.completed,
            "cancelled" => &mut self.cancelled,
            "terminated" => &mut self.terminated,
            "continued_as_new" => &mut self.continued_as_new,
            _ => &mut self.failed,
        }
    }
}
