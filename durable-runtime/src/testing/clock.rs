//! Time that passes when a test says so.

use std::fmt;
use std::sync::{Arc, Mutex, PoisonError, Weak};
use std::time::Duration;

use crate::clock::{Clock, Timestamp};

type Wake = Weak<dyn Fn() + Send + Sync>;

/// A clock that stands still until it is set. Clones are the same clock.
///
/// ```
/// use durable_runtime::{Clock, testing::ManualClock};
/// use std::time::Duration;
///
/// let clock = ManualClock::new();
/// let begin = clock.now();
/// clock.advance(Duration::from_secs(60));
/// assert_eq!(clock.now().saturating_since(begin), Duration::from_secs(60));
/// ```
#[derive(Clone)]
pub struct ManualClock(Arc<Mutex<State>>);

struct State {
    now: Timestamp,
    watchers: Vec<Wake>,
}

impl ManualClock {
    /// Stands at 2026-01-01 UTC.
    pub fn new() -> Self {
        Self::at(Timestamp::from_millis(1_767_225_600_000))
    }

    /// Stands at this moment.
    pub fn at(now: Timestamp) -> Self {
        Self(Arc::new(Mutex::new(State { now, watchers: Vec::new() })))
    }

    /// Goes forward, and wakes whoever sleeps by this clock.
    pub fn advance(&self, by: Duration) {
        self.change(|now| now.saturating_add(by));
    }

    /// Goes to a moment, also back, and wakes whoever sleeps by this clock.
    pub fn set(&self, to: Timestamp) {
        self.change(|_| to);
    }

    fn change(&self, change: impl FnOnce(Timestamp) -> Timestamp) {
        let mut state = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        state.now = change(state.now);
        state.watchers.retain(|watcher| watcher.strong_count() > 0);
        let watchers = state.watchers.clone();
        // Whoever is woken may look at the clock at once.
        drop(state);
        watchers.iter().filter_map(Weak::upgrade).for_each(|wake| wake());
    }
}

impl Clock for ManualClock {
    fn now(&self) -> Timestamp {
        self.0.lock().unwrap_or_else(PoisonError::into_inner).now
    }

    fn watch(&self, wake: Wake) {
        self.0.lock().unwrap_or_else(PoisonError::into_inner).watchers.push(wake);
    }
}

impl Default for ManualClock {
    fn default() -> Self {
        Self::new()
    }
}

impl fmt::Debug for ManualClock {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_tuple("ManualClock").field(&self.now()).finish()
    }
}
