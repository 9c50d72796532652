//! What waits for the committer, and the bell that wakes it.

use std::sync::{Condvar, Mutex, PoisonError};
use std::time::Duration;

use tokio::sync::oneshot;

use super::gate::locked;
use super::index::MessageKey;
use super::store::{OrderedStore, StoreError};
use crate::clock::{Clock, Timestamp};
use crate::providers::{BatchResult, CommitError, ProviderError, Transaction};

/// The clock of the machine may be set, and then a wait is of the wrong length: look again at least so often.
const LOOK_AGAIN: Duration = Duration::from_secs(1);

/// A read that had to wait until something is durable.
pub(super) type Read = Box<dyn FnOnce(Result<&dyn OrderedStore, StoreError>) + Send>;

/// A transaction, and where the answer goes.
pub(super) struct Submitted {
    pub(super) transaction: Transaction,
    pub(super) reply: oneshot::Sender<Result<BatchResult, CommitError>>,
}

/// Where it is said that the store was compacted.
pub(super) type Compaction = oneshot::Sender<Result<(), ProviderError>>;

/// How often messages were handed out, to be kept before they are; and where it is said that it is.
pub(super) struct Counting {
    pub(super) counts: Vec<(MessageKey, u32)>,
    pub(super) reply: oneshot::Sender<Result<(), StoreError>>,
}

/// All that waited when the committer looked.
#[derive(Default)]
pub(super) struct Work {
    pub(super) commits: Vec<Submitted>,
    pub(super) countings: Vec<Counting>,
    pub(super) reads: Vec<Read>,
    pub(super) compactions: Vec<Compaction>,
    /// Nothing comes after this.
    pub(super) closing: bool,
}

#[derive(Default)]
struct State {
    work: Work,
    rung: bool,
    /// The committer sleeps until then; `None` while it is awake.
    asleep_until: Option<Timestamp>,
}

/// See the module.
#[derive(Default)]
pub(super) struct Inbox {
    state: Mutex<State>,
    bell: Condvar,
}

impl Inbox {
    pub(super) fn commit(&self, submitted: Submitted) -> Result<(), StoreError> {
        self.push(|work| work.commits.push(submitted))
    }

    pub(super) fn count(&self, counting: Counting) -> Result<(), StoreError> {
        self.push(|work| work.countings.push(counting))
    }

    pub(super) fn read(&self, read: Read) -> Result<(), StoreError> {
        self.push(|work| work.reads.push(read))
    }

    pub(super) fn compact(&self, reply: Compaction) -> Result<(), StoreError> {
        self.push(|work| work.compactions.push(reply))
    }

    fn push(&self, add: impl FnOnce(&mut Work)) -> Result<(), StoreError> {
        let mut state = locked(&self.state);
        if state.work.closing {
            return Err(StoreError::Closed);
        }
        add(&mut state.work);
        self.wake(&mut state);
        Ok(())
    }

    /// The time was changed, or something else the committer cannot know.
    pub(super) fn ring(&self) {
        self.wake(&mut locked(&self.state));
    }

    /// Something comes due then: if the committer wanted to sleep longer, it thinks again.
    pub(super) fn due(&self, when: Timestamp) {
        let mut state = locked(&self.state);
        if state.asleep_until.is_none_or(|until| when < until) {
            self.wake(&mut state);
        }
    }

    pub(super) fn close(&self) {
        let mut state = locked(&self.state);
        state.work.closing = true;
        self.wake(&mut state);
    }

    /// Drops what nobody will look at any more; whoever waits for an answer hears that there will be none.
    pub(super) fn abandon(&self) {
        let mut state = locked(&self.state);
        state.work = Work { closing: true, ..Work::default() };
    }

    fn wake(&self, state: &mut State) {
        state.rung = true;
        if state.asleep_until.is_some() {
            self.bell.notify_one();
        }
    }

    /// Waits until there is work, the bell rings, or `next` is reached. `next` is asked after the bell was silenced,
    /// so that nothing is missed in between.
    pub(super) fn wait(&self, clock: &dyn Clock, next: impl FnOnce() -> Option<Timestamp>) -> Work {
        if !std::mem::take(&mut locked(&self.state).rung) {
            let until = next().unwrap_or(Timestamp::MAX);
            let patience = until.saturating_since(clock.now());
            let mut state = locked(&self.state);
            if !state.rung && !patience.is_zero() {
                state.asleep_until = Some(until);
                // With nothing due at any time there is nothing that a clock could be wrong about.
                let state = if until == Timestamp::MAX {
                    self.bell.wait_while(state, |state| !state.rung).unwrap_or_else(PoisonError::into_inner)
                } else {
                    let patience = patience.min(LOOK_AGAIN);
                    let waited = self.bell.wait_timeout_while(state, patience, |state| !state.rung);
                    waited.unwrap_or_else(PoisonError::into_inner).0
                };
                drop(state);
            }
        }
        let mut state = locked(&self.state);
        state.asleep_until = None;
        state.rung = false;
        let closing = state.work.closing;
        let work = std::mem::take(&mut state.work);
        state.work.closing = closing;
        work
    }
}
