//! How often a failing activity is tried, and how long between.

use std::time::Duration;

use serde::{Deserialize, Serialize};

/// How often an activity is tried, and how long between: attempt n+1 comes `initial × factor^(n-1)`, at most `max`,
/// after attempt n has failed.
///
/// An attempt has failed if it returned an error, panicked or took too long. Not tried again is an error that is
/// terminal (see [`ActivityError`](derive@crate::ActivityError)), and what cannot be otherwise the next time: arguments that
/// do not decode, an output that is too long. An attempt that a crash of the process cut short is run again without
/// being counted.
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
///
/// let linear = RetryPolicy::attempts(9).initial(Duration::from_secs(2)).linear();
/// assert_eq!(linear.delay_after(3), Some(Duration::from_secs(6)));
/// let fixed = RetryPolicy::attempts(9).initial(Duration::from_secs(2)).fixed();
/// assert_eq!(fixed.delay_after(3), Some(Duration::from_secs(2)));
/// ```
#[derive(Debug, Clone, Copy, PartialEq, Serialize, Deserialize)]
pub struct RetryPolicy {
    attempts_max: u32,
    #[serde(rename = "initial_ms", with = "millis")]
    initial: Duration,
    factor: f64,
    #[serde(rename = "max_ms", with = "millis")]
    max: Duration,
    /// The waits grow by the same amount each time, not by `factor`.
    #[serde(default, skip_serializing_if = "std::ops::Not::not")]
    linear: bool,
    #[serde(default, skip_serializing_if = "is_zero")]
    jitter: f64,
    #[serde(rename = "total_ms", default, skip_serializing_if = "Option::is_none", with = "optional_millis")]
    total: Option<Duration>,
}

/// The largest factor: beyond it a wait is at its longest after two attempts anyway.
const FACTOR_MAX: f64 = 1e6;

fn is_zero(jitter: &f64) -> bool {
    *jitter == 0.0
}

/// Keeps a duration as whole milliseconds, rounded up: a short one does not become none.
pub(crate) mod millis {
    use std::time::Duration;

    use serde::{Deserialize, Deserializer, Serializer};

    pub(crate) fn serialize<S: Serializer>(duration: &Duration, serializer: S) -> Result<S::Ok, S::Error> {
        serializer.serialize_u64(u64::try_from(duration.as_nanos().div_ceil(1_000_000)).unwrap_or(u64::MAX))
    }

    pub(crate) fn deserialize<'de, D: Deserializer<'de>>(deserializer: D) -> Result<Duration, D::Error> {
        u64::deserialize(deserializer).map(Duration::from_millis)
    }
}

/// As [`millis`], for one that may be missing.
pub(crate) mod optional_millis {
    use std::time::Duration;

    use serde::{Deserialize, Deserializer, Serializer};

    pub(crate) fn serialize<S: Serializer>(duration: &Option<Duration>, serializer: S) -> Result<S::Ok, S::Error> {
        match duration {
            Some(duration) => super::millis::serialize(duration, serializer),
            None => serializer.serialize_none(),
        }
    }

    pub(crate) fn deserialize<'de, D: Deserializer<'de>>(deserializer: D) -> Result<Option<Duration>, D::Error> {
        Ok(Option::<u64>::deserialize(deserializer)?.map(Duration::from_millis))
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
            linear: false,
            jitter: 0.0,
            total: None,
        }
    }

    /// How long to wait after the first failed attempt. Zero is fine: the next attempt comes at once. What is longer than
    /// the longest wait so far raises that too.
    #[must_use]
    pub const fn initial(mut self, initial: Duration) -> Self {
        self.initial = initial;
        if initial.as_nanos() > self.max.as_nanos() {
            self.max = initial;
        }
        self
    }

    /// By how much each wait is longer than the one before. Less than 1.0 counts as 1.0, more than a million as a
    /// million.
    #[must_use]
    pub const fn factor(mut self, factor: f64) -> Self {
        self.linear = false;
        self.factor = if factor > FACTOR_MAX {
            FACTOR_MAX
        } else if factor >= 1.0 {
            factor
        } else {
            1.0
        };
        self
    }

    /// Every wait is as long as the first: `factor(1.0)`.
    #[must_use]
    pub const fn fixed(self) -> Self {
        self.factor(1.0)
    }

    /// Wait n is n times as long as the first, instead of growing by a factor.
    #[must_use]
    pub const fn linear(mut self) -> Self {
        self.linear = true;
        self
    }

    /// The longest wait.
    #[must_use]
    pub const fn max(mut self, max: Duration) -> Self {
        self.max = max;
        self
    }

    /// Shortens each wait by chance, by up to this part of it: 0.2 makes 8 to 10 seconds of 10. Calls that failed
    /// together then do not come back together. The chance is drawn from the call and the attempt, so it is the same
    /// whoever waits. Less than 0.0 counts as 0.0, more than 1.0 as 1.0.
    #[must_use]
    pub const fn jitter(mut self, jitter: f64) -> Self {
        self.jitter = if jitter > 1.0 {
            1.0
        } else if jitter > 0.0 {
            jitter
        } else {
            0.0
        };
        self
    }

    /// How long after the call was scheduled its last attempt may begin, by the clock of the store: if the next one
    /// would begin later, there is none. What bounds a running attempt too is `schedule_to_close`.
    #[must_use]
    pub const fn total(mut self, total: Duration) -> Self {
        self.total = Some(total);
        self
    }

    /// So many attempts in all, the first included.
    pub const fn attempts_max(&self) -> u32 {
        self.attempts_max
    }

    /// How long to wait, before jitter, after attempt `attempt` (counted from 1) has failed; `None` if it was the last.
    pub fn delay_after(&self, attempt: u32) -> Option<Duration> {
        if attempt >= self.attempts_max {
            return None;
        }
        if self.initial.is_zero() {
            return Some(Duration::ZERO);
        }
        let growth = match self.linear {
            true => f64::from(attempt.max(1)),
            false => self.factor.powf(f64::from(attempt.saturating_sub(1))),
        };
        let seconds = self.initial.as_secs_f64() * growth;
        Some(Duration::try_from_secs_f64(seconds).unwrap_or(self.max).min(self.max))
    }

    /// How long to wait after attempt `attempt` has failed, `since_scheduled` after the call was scheduled; `chance` is
    /// between 0 and 1. `None` if there is no next attempt.
    pub(crate) fn wait_after(&self, attempt: u32, since_scheduled: Duration, chance: f64) -> Option<Duration> {
        let longest = self.delay_after(attempt)?;
        let seconds = longest.as_secs_f64() * (1.0 - self.jitter * chance);
        // The longest duration there is does not survive the way through a number.
        let wait = Duration::try_from_secs_f64(seconds).unwrap_or(longest).min(longest);
        let in_time = self.total.is_none_or(|total| since_scheduled.saturating_add(wait) <= total);
        in_time.then_some(wait)
    }
}

impl Default for RetryPolicy {
    /// [`RetryPolicy::NONE`]: a step that may not be repeated is not repeated unless its author says so.
    fn default() -> Self {
        Self::NONE
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const fn seconds(seconds: u64) -> Duration {
        Duration::from_secs(seconds)
    }

    #[test]
    fn no_number_makes_a_policy_that_cannot_be_kept() {
        for factor in [f64::NAN, f64::INFINITY, f64::NEG_INFINITY, 0.0, f64::MAX] {
            for duration in [Duration::ZERO, Duration::from_nanos(1), Duration::MAX] {
                let policy =
                    RetryPolicy::attempts(u32::MAX).initial(duration).factor(factor).max(duration).jitter(factor);
                let text = serde_json::to_string(&policy.total(duration)).unwrap();
                let kept: RetryPolicy = serde_json::from_str(&text).unwrap();
                for attempt in [0, 1, 2, 1_000, u32::MAX - 1] {
                    assert!(kept.delay_after(attempt).unwrap() <= kept.max, "{text}");
                    assert!(policy.wait_after(attempt, Duration::ZERO, 1.0).is_none_or(|wait| wait <= duration));
                }
            }
        }
    }

    #[test]
    fn a_short_wait_does_not_become_none() {
        let text = serde_json::to_string(&RetryPolicy::attempts(2).initial(Duration::from_micros(1))).unwrap();
        assert!(text.contains("\"initial_ms\":1,"), "{text}");
    }

    #[test]
    fn waits_grow_as_the_policy_says() {
        let waits = |policy: RetryPolicy| (1..5).filter_map(|n| policy.delay_after(n)).collect::<Vec<_>>();
        let policy = RetryPolicy::attempts(5).initial(seconds(2)).max(seconds(7));
        assert_eq!(waits(policy), [seconds(2), seconds(4), seconds(7), seconds(7)]);
        assert_eq!(waits(policy.linear()), [seconds(2), seconds(4), seconds(6), seconds(7)]);
        assert_eq!(waits(policy.fixed()), [seconds(2); 4]);
        assert_eq!(waits(policy.linear().factor(3.0)), [seconds(2), seconds(6), seconds(7), seconds(7)]);
    }

    #[test]
    fn a_long_first_wait_is_not_cut_to_the_usual_longest() {
        let policy = RetryPolicy::attempts(3).initial(seconds(3_600));
        assert_eq!((policy.delay_after(1), policy.delay_after(2)), (Some(seconds(3_600)), Some(seconds(3_600))));
        assert_eq!(policy.max(seconds(60)).delay_after(1), Some(seconds(60)), "unless it is asked for");
    }

    #[test]
    fn jitter_only_shortens() {
        let policy = RetryPolicy::attempts(9).initial(seconds(10)).jitter(0.2);
        let wait = |chance| policy.wait_after(1, Duration::ZERO, chance).unwrap();
        assert_eq!((wait(0.0), wait(0.5), wait(1.0)), (seconds(10), seconds(9), seconds(8)));
    }

    #[test]
    fn no_attempt_begins_after_the_total() {
        let policy = RetryPolicy::attempts(9).initial(seconds(10)).fixed().total(seconds(25));
        assert_eq!(policy.wait_after(1, seconds(15), 0.0), Some(seconds(10)));
        assert_eq!(policy.wait_after(1, Duration::from_millis(15_001), 0.0), None);
        assert_eq!(policy.wait_after(1, Duration::MAX, 0.0), None);
    }
}
