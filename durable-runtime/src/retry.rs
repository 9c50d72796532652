//! How often a failing activity is tried, and how long between.

use std::time::Duration;

use serde::{Deserialize, Serialize};

/// How often an activity is tried, and how long between: attempt n+1 comes `initial × factor^(n-1)`, at most `max`,
/// after attempt n has failed.
///
/// ```
/// use std::time::Duration;
/// use durable_runtime::RetryPolicy;
///
/// let policy = RetryPolicy::attempts(4).initial(Duration::from_millis(100)).factor(3.0).max(Duration::from_millis(500));
/// assert_eq!(policy.delay_after(1), Some(Duration::from_millis(100)));
/// assert_eq!(policy.delay_after(2), Some(Duration::from_millis(300)));
/// assert_eq!(policy.delay_after(3), Some(Duration::from_millis(500)));
/// assert_eq!(policy.delay_after(4), None); // that was the last
/// ```
#[derive(Debug, Clone, Copy, PartialEq, Serialize, Deserialize)]
pub struct RetryPolicy {
    attempts_max: u32,
    #[serde(rename = "initial_ms", with = "millis")]
    initial: Duration,
    factor: f64,
    #[serde(rename = "max_ms", with = "millis")]
    max: Duration,
}

/// Keeps a duration as whole milliseconds.
pub(crate) mod millis {
    use std::time::Duration;

    use serde::{Deserialize, Deserializer, Serializer};

    pub(crate) fn serialize<S: Serializer>(duration: &Duration, serializer: S) -> Result<S::Ok, S::Error> {
        serializer.serialize_u64(u64::try_from(duration.as_millis()).unwrap_or(u64::MAX))
    }

    pub(crate) fn deserialize<'de, D: Deserializer<'de>>(deserializer: D) -> Result<Duration, D::Error> {
        u64::deserialize(deserializer).map(Duration::from_millis)
    }
}

impl RetryPolicy {
    /// One attempt, and no other.
    pub const NONE: Self = Self::attempts(1);

    /// So many attempts in all, the first included; 0 counts as 1. Starts at one second, doubles, at most a minute.
    pub const fn attempts(attempts_max: u32) -> Self {
        Self {
            attempts_max: if attempts_max == 0 { 1 } else { attempts_max },
            initial: Duration::from_secs(1),
            factor: 2.0,
            max: Duration::from_secs(60),
        }
    }

    /// How long to wait after the first failed attempt.
    #[must_use]
    pub const fn initial(mut self, initial: Duration) -> Self {
        self.initial = initial;
        self
    }

    /// By how much each wait is longer than the one before: 1.0 for a fixed wait. Less than 1.0 counts as 1.0.
    #[must_use]
    pub const fn factor(mut self, factor: f64) -> Self {
        self.factor = if factor >= 1.0 { factor } else { 1.0 };
        self
    }

    /// The longest wait.
    #[must_use]
    pub const fn max(mut self, max: Duration) -> Self {
        self.max = max;
        self
    }

    /// So many attempts in all, the first included.
    pub const fn attempts_max(&self) -> u32 {
        self.attempts_max
    }

    /// How long to wait after attempt `attempt` (counted from 1) has failed; `None` if it was the last.
    pub fn delay_after(&self, attempt: u32) -> Option<Duration> {
        if attempt >= self.attempts_max {
            return None;
        }
        let growth = self.factor.powf(f64::from(attempt.saturating_sub(1)));
        let seconds = self.initial.as_secs_f64() * growth;
        Some(Duration::try_from_secs_f64(seconds).unwrap_or(self.max).min(self.max))
    }
}

impl Default for RetryPolicy {
    /// [`RetryPolicy::NONE`]: a step that may not be repeated is not repeated unless its author says so.
    fn default() -> Self {
        Self::NONE
    }
}
