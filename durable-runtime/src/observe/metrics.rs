//! What a runtime has counted and measured: a value to read.

use std::collections::BTreeMap;

use super::distribution::Distribution;
use crate::providers::{Groups, Stats};

/// What a runtime has counted and measured since it was started. Times are in microseconds; see [`Distribution`].
///
/// What is counted was kept: a turn that the store refused and that is run again counts once.
#[derive(Debug, Clone, PartialEq, Default)]
#[non_exhaustive]
pub struct Metrics {
    /// Executions begun, by orchestration.
    pub starts: BTreeMap<String, u64>,
    /// Executions ended, by orchestration.
    pub completions: BTreeMap<String, Completions>,
    /// How long turns took, each with all its messages, without their waits for the store.
    pub turn_time: Distribution,
    /// How long it took to run code over recorded histories.
    pub replay_time: Distribution,
    /// Turns whose execution was in memory.
    pub live_hits: u64,
    /// Turns whose execution had to be replayed: after a start of the process, or when there was no room for it.
    pub live_misses: u64,
    /// How long the oldest message of a turn had waited when the turn was leased, by the clock of the store. Messages that
    /// this process brings itself never wait, and are not counted.
    pub turn_age: Distribution,
    /// How long activities had waited for their first attempts, by the clock of the store.
    pub activity_age: Distribution,
    /// What activities did, by name.
    pub activities: BTreeMap<String, ActivityMetrics>,
    /// Activities that were given up because they never came to an end, however often they were begun anew.
    pub poisoned: u64,
    /// Instances that cannot go on in this process, at the moment.
    pub suspended: u64,
    /// What waits in the store at the moment; `None` if it cannot be asked.
    pub store: Option<Stats>,
    /// How many transactions the store wrote together, and how long it took until they were on disk, since it was opened.
    pub groups: Groups,
}

/// How executions ended.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
#[non_exhaustive]
pub struct Completions {
    /// They returned.
    pub completed: u64,
    /// They failed.
    pub failed: u64,
    /// They were cancelled.
    pub cancelled: u64,
    /// They were ended at once from outside.
    pub terminated: u64,
    /// They went on as the next execution.
    pub continued_as_new: u64,
}

/// What an activity did.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
#[non_exhaustive]
pub struct ActivityMetrics {
    /// Attempts begun.
    pub attempts: u64,
    /// How long the attempts took that have come to an end.
    pub attempt_time: Distribution,
    /// Attempts that failed and are followed by another.
    pub retries: u64,
    /// Calls that came back with an output.
    pub completed: u64,
    /// Calls that came back without one.
    pub failed: u64,
}
