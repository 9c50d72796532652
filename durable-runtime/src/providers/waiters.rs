//! Who waits for what. A waiter is woken when there may be something for it, or when its patience ends; it looks
//! again itself. Nothing here needs a runtime: the thread that writes does the waking.

use std::collections::{BTreeMap, HashMap};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::Duration;

use tokio::sync::Notify;

use crate::clock::{Clock, Timestamp};
use crate::ids::InstanceId;

/// Locks, also after a panic of another thread: every critical section here leaves whole values behind.
pub(super) fn locked<T>(mutex: &Mutex<T>) -> MutexGuard<'_, T> {
    mutex.lock().unwrap_or_else(PoisonError::into_inner)
}

/// What one can wait for something in.
pub(super) trait Waiting: Send + Sync {
    /// Who waits.
    fn waiters(&self) -> &Waiters;
    /// By which clock.
    fn clock(&self) -> &dyn Clock;
    /// Somebody has begun to wait, and gives up then.
    fn due(&self, deadline: Timestamp);
}

/// What can be waited for.
#[derive(Debug, Clone, PartialEq, Eq, Hash)]
pub(super) enum Awaited {
    Turns,
    Activities,
    Change(InstanceId),
    /// Any commit at all: for tests.
    Commit,
    Closed,
}

type Bells = BTreeMap<u64, Arc<Notify>>;

#[derive(Default)]
struct State {
    last: u64,
    by_cause: HashMap<Awaited, Bells>,
    deadlines: BTreeMap<(Timestamp, u64), Arc<Notify>>,
}

/// See the module.
#[derive(Default)]
pub(super) struct Waiters(Mutex<State>);

/// One that waits. Leaves the list when it is dropped.
pub(super) struct Waiter<'a> {
    waiters: &'a Waiters,
    number: u64,
    cause: Awaited,
    deadline: Timestamp,
    bell: Arc<Notify>,
}

impl Waiters {
    /// To be called before looking, so that nothing is missed between looking and waiting.
    pub(super) fn register(&self, cause: Awaited, deadline: Timestamp) -> Waiter<'_> {
        let bell = Arc::new(Notify::new());
        let mut state = locked(&self.0);
        state.last += 1;
        let number = state.last;
        state.by_cause.entry(cause.clone()).or_default().insert(number, bell.clone());
        state.deadlines.insert((deadline, number), bell.clone());
        Waiter { waiters: self, number, cause, deadline, bell }
    }

    pub(super) fn wake(&self, cause: &Awaited) {
        let state = locked(&self.0);
        state.by_cause.get(cause).into_iter().flat_map(BTreeMap::values).for_each(|bell| bell.notify_one());
    }

    /// Wakes those whose patience has ended.
    pub(super) fn wake_due(&self, now: Timestamp) {
        let state = locked(&self.0);
        state.deadlines.iter().take_while(|((when, _), _)| *when <= now).for_each(|(_, bell)| bell.notify_one());
    }

    pub(super) fn wake_all(&self) {
        locked(&self.0).deadlines.values().for_each(|bell| bell.notify_one());
    }

    /// When the next patience ends after `now`.
    pub(super) fn next_deadline(&self, now: Timestamp) -> Option<Timestamp> {
        let after = Timestamp::from_millis(now.as_millis() + 1);
        locked(&self.0).deadlines.range((after, 0)..).next().map(|((when, _), _)| *when)
    }
}

impl Waiter<'_> {
    pub(super) async fn woken(&self) {
        self.bell.notified().await;
    }
}

/// How long a caller waits for something to be there.
pub(super) struct Patience<'a> {
    store: &'a dyn Waiting,
    cause: Awaited,
    /// `None` for who does not wait at all.
    deadline: Option<Timestamp>,
    waiter: Option<Waiter<'a>>,
}

impl<'a> Patience<'a> {
    /// It counts from now.
    pub(super) fn new(store: &'a dyn Waiting, cause: Awaited, wait: Duration) -> Self {
        let deadline = (!wait.is_zero()).then(|| store.clock().now().saturating_add(wait));
        Self { store, cause, deadline, waiter: None }
    }

    /// Returns `true` when there may be something, `false` when there is no time left to look. Whoever finds
    /// something at once is never put on the list; who is put on it looks once more, so that nothing is missed.
    pub(super) async fn look_again(&mut self) -> bool {
        let Some(deadline) = self.deadline else { return false };
        match &self.waiter {
            None => {
                self.waiter = Some(self.store.waiters().register(self.cause.clone(), deadline));
                self.store.due(deadline);
                true
            }
            Some(waiter) if self.store.clock().now() >= waiter.deadline => false,
            Some(waiter) => {
                waiter.woken().await;
                true
            }
        }
    }
}

impl Drop for Waiter<'_> {
    fn drop(&mut self) {
        let mut state = locked(&self.waiters.0);
        state.deadlines.remove(&(self.deadline, self.number));
        if let Some(bells) = state.by_cause.get_mut(&self.cause) {
            bells.remove(&self.number);
            if bells.is_empty() {
                state.by_cause.remove(&self.cause);
            }
        }
    }
}
