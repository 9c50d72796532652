//! A clock that jumps.

use std::fmt;
use std::sync::atomic::{AtomicI64, Ordering};
use std::sync::{Arc, Mutex, Weak};

use crate::clock::{Clock, Timestamp};
use crate::providers::waiters::locked;

type Wake = Weak<dyn Fn() + Send + Sync>;

/// Another clock, and how far this one is off. Clones are the same clock.
///
/// ```
/// use durable_runtime::providers::ShiftingClock;
/// use durable_runtime::{Clock, testing::ManualClock};
/// use std::time::Duration;
///
/// let right = ManualClock::new();
/// let clock = ShiftingClock::new(right.clone());
/// clock.shift(60_000);
/// assert_eq!(clock.now().saturating_since(right.now()), Duration::from_secs(60));
/// clock.shift(-120_000);
/// assert_eq!(right.now().saturating_since(clock.now()), Duration::from_secs(60));
/// ```
#[derive(Clone)]
pub struct ShiftingClock(Arc<State>);

struct State {
    clock: Box<dyn Clock>,
    off_ms: AtomicI64,
    watchers: Mutex<Vec<Wake>>,
}

impl ShiftingClock {
    /// As right as that clock, for now.
    pub fn new(clock: impl Clock) -> Self {
        let state = State { clock: Box::new(clock), off_ms: AtomicI64::new(0), watchers: Mutex::default() };
        Self(Arc::new(state))
    }

    /// Jumps by so many milliseconds, and wakes whoever sleeps by this clock.
    pub fn shift(&self, by_ms: i64) {
        self.0.off_ms.fetch_add(by_ms, Ordering::SeqCst);
        let mut watchers = locked(&self.0.watchers);
        watchers.retain(|watcher| watcher.strong_count() > 0);
        let awake: Vec<_> = watchers.iter().filter_map(Weak::upgrade).collect();
        // Whoever is woken may look at the clock at once.
        drop(watchers);
        awake.iter().for_each(|wake| wake());
    }
}

impl Clock for ShiftingClock {
    fn now(&self) -> Timestamp {
        let off = self.0.off_ms.load(Ordering::SeqCst);
        Timestamp::from_millis(self.0.clock.now().as_millis().saturating_add_signed(off))
    }

    fn watch(&self, wake: Wake) {
        self.0.clock.watch(wake.clone());
        locked(&self.0.watchers).push(wake);
    }
}

impl fmt::Debug for ShiftingClock {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_tuple("ShiftingClock").field(&self.now()).finish()
    }
}
