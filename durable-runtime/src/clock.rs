//! Time as a value: read in one place, handed on from there.

use std::fmt;
use std::sync::{Arc, OnceLock, Weak};
use std::time::{Duration, Instant, SystemTime, UNIX_EPOCH};

use serde::{Deserialize, Serialize};

/// A moment, in whole milliseconds since 1970-01-01 UTC.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Default, Serialize, Deserialize)]
#[serde(transparent)]
pub struct Timestamp(u64);

impl Timestamp {
    /// The earliest moment: 1970-01-01 UTC.
    pub const EPOCH: Self = Self(0);
    /// 9999-12-31T23:59:59.999Z: the latest moment that every store can keep; later ones become this.
    pub const MAX: Self = Self(253_402_300_799_999);

    /// From milliseconds since 1970; what is later than [`Timestamp::MAX`] becomes that.
    pub const fn from_millis(millis: u64) -> Self {
        if millis > Self::MAX.0 { Self::MAX } else { Self(millis) }
    }

    /// Milliseconds since 1970.
    pub const fn as_millis(self) -> u64 {
        self.0
    }

    /// This moment and a duration after it, never earlier than asked: a part of a millisecond counts as a whole one.
    /// What is later than [`Timestamp::MAX`] becomes that.
    #[must_use]
    pub fn saturating_add(self, duration: Duration) -> Self {
        let millis = duration.as_nanos().div_ceil(1_000_000);
        let sum = u128::from(self.0).saturating_add(millis).min(u128::from(Self::MAX.0));
        u64::try_from(sum).map_or(Self::MAX, Self)
    }

    /// How long after `earlier` this is; zero if it is not.
    #[must_use]
    pub fn saturating_since(self, earlier: Self) -> Duration {
        Duration::from_millis(self.0.saturating_sub(earlier.0))
    }
}

impl From<SystemTime> for Timestamp {
    /// Rounds up to whole milliseconds, so that a timer is never early; before 1970 becomes [`Timestamp::EPOCH`].
    fn from(time: SystemTime) -> Self {
        Self::EPOCH.saturating_add(time.duration_since(UNIX_EPOCH).unwrap_or_default())
    }
}

impl From<Timestamp> for SystemTime {
    fn from(timestamp: Timestamp) -> Self {
        UNIX_EPOCH + Duration::from_millis(timestamp.0)
    }
}

impl fmt::Display for Timestamp {
    /// ISO 8601 in UTC, to the millisecond.
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        humantime::format_rfc3339_millis((*self).into()).fmt(f)
    }
}

/// Where the time comes from. A store has one, and it alone decides what is due.
pub trait Clock: Send + Sync + 'static {
    /// The present moment.
    fn now(&self) -> Timestamp;

    /// How much time has passed since some fixed moment: for measuring how long something took, not for deciding what is
    /// due. As exact as [`Clock::now`], unless a clock knows better.
    fn elapsed(&self) -> Duration {
        Duration::from_millis(self.now().as_millis())
    }

    /// Has `wake` called whenever the time is set instead of passing, so that whoever sleeps until some moment looks
    /// again. A clock that only runs has nothing to say.
    fn watch(&self, wake: Weak<dyn Fn() + Send + Sync>) {
        drop(wake);
    }
}

impl<C: Clock + ?Sized> Clock for Arc<C> {
    fn now(&self) -> Timestamp {
        (**self).now()
    }

    fn elapsed(&self) -> Duration {
        (**self).elapsed()
    }

    fn watch(&self, wake: Weak<dyn Fn() + Send + Sync>) {
        (**self).watch(wake);
    }
}

/// The clock of this machine.
#[derive(Debug, Clone, Copy, Default)]
pub struct SystemClock;

impl Clock for SystemClock {
    fn now(&self) -> Timestamp {
        let since_epoch = SystemTime::now().duration_since(UNIX_EPOCH).unwrap_or_default();
        Timestamp::from_millis(u64::try_from(since_epoch.as_millis()).unwrap_or(u64::MAX))
    }

    fn elapsed(&self) -> Duration {
        static FIRST_LOOK: OnceLock<Instant> = OnceLock::new();
        FIRST_LOOK.get_or_init(Instant::now).elapsed()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_timestamp_prints_as_iso_8601() {
        let check = |millis, text: &str| assert_eq!(Timestamp::from_millis(millis).to_string(), text);
        check(0, "1970-01-01T00:00:00.000Z");
        check(951_827_696_789, "2000-02-29T12:34:56.789Z");
        check(u64::MAX, "9999-12-31T23:59:59.999Z");
    }

    #[test]
    fn adding_never_ends_early_and_never_overflows() {
        let start = Timestamp::from_millis(10);
        assert_eq!(start.saturating_add(Duration::from_nanos(1)), Timestamp::from_millis(11));
        assert_eq!(start.saturating_add(Duration::MAX), Timestamp::MAX);
        assert_eq!(start.saturating_since(Timestamp::MAX), Duration::ZERO);
    }
}
