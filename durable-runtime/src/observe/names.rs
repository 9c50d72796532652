//! The names of all metrics, as the feature `metrics` gives them to the recorder of that crate.

/// Counter: executions begun. Label `orchestration`.
pub const STARTS: &str = "durable_starts_total";
/// Counter: executions ended. Labels `orchestration`, and `outcome`: `completed`, `failed`, `cancelled`, `terminated`,
/// `continued_as_new`.
pub const COMPLETIONS: &str = "durable_completions_total";
/// Histogram: how long a turn took, in seconds, without its wait for the store.
pub const TURN_TIME: &str = "durable_turn_seconds";
/// Histogram: how long it took to run code over a recorded history, in seconds.
pub const REPLAY_TIME: &str = "durable_replay_seconds";
/// Counter: turns whose execution was in memory.
pub const LIVE_HITS: &str = "durable_live_hits_total";
/// Counter: turns whose execution had to be replayed.
pub const LIVE_MISSES: &str = "durable_live_misses_total";
/// Histogram: how long the oldest message of a turn had waited when the turn was leased, in seconds.
pub const TURN_AGE: &str = "durable_turn_queue_age_seconds";
/// Histogram: how long an activity had waited for its first attempt, in seconds.
pub const ACTIVITY_AGE: &str = "durable_activity_queue_age_seconds";
/// Counter: attempts of activities begun. Label `activity`.
pub const ATTEMPTS: &str = "durable_activity_attempts_total";
/// Counter: attempts that failed and are followed by another. Label `activity`.
pub const RETRIES: &str = "durable_activity_retries_total";
/// Counter: activities ended. Labels `activity`, and `outcome`: `completed`, `failed`.
pub const ACTIVITIES: &str = "durable_activities_total";
/// Histogram: how long an attempt took, in seconds. Label `activity`.
pub const ATTEMPT_TIME: &str = "durable_activity_attempt_seconds";
/// Counter: activities and instances that were given up because they never came to an end, however often an attempt or a
/// turn of them was begun anew.
pub const POISONED: &str = "durable_poisoned_total";
/// Gauge: instances that cannot go on in this process.
pub const SUSPENDED: &str = "durable_suspended";
/// Gauge: messages that wait. Label `queue`: `turns`, `activities`. Set whenever metrics are read.
pub const QUEUE_DEPTH: &str = "durable_queue_depth";
/// Counter: groups of transactions that the store has written, each with one flush. Set whenever metrics are read.
pub const GROUPS: &str = "durable_store_groups_total";
/// Counter: the transactions in all those groups. Set whenever metrics are read.
pub const GROUP_TRANSACTIONS: &str = "durable_store_group_transactions_total";
/// Counter: how long it took in all until they were on disk, in microseconds. Set whenever metrics are read.
pub const GROUP_TIME: &str = "durable_store_group_microseconds_total";
