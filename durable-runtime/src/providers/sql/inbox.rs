//! What waits for the writer, and the bell that wakes it.

use std::sync::{Arc, Condvar, Mutex, PoisonError};
use std::time::Duration;

use tokio::sync::oneshot;

use super::engine::Shared;
use super::session::SqlError;
use crate::ids::LockToken;
use crate::providers::waiters::locked;
use crate::providers::{
    ActivityRequest, BatchResult, CommitError, LeasedActivity, LeasedTurn, ProviderError, Renewal, Transaction,
    TurnRequest,
};

/// How long the writer waits for those who have just been answered to come back with more. A sync takes longer.
const COMPANY_WAIT: Duration = Duration::from_micros(200);

/// Where an answer goes.
pub(super) type Reply<T> = oneshot::Sender<T>;

/// What the writer is asked for.
pub(super) enum Job {
    Commit(Transaction, Reply<Result<BatchResult, CommitError>>),
    Turns(TurnRequest, Reply<Result<Granted<LeasedTurn>, ProviderError>>),
    Activities(ActivityRequest, Reply<Result<Granted<LeasedActivity>, ProviderError>>),
    Renew(Vec<LockToken>, Duration, Reply<Result<Vec<Renewal>, ProviderError>>),
    /// Leases that nobody got to see.
    Revoke(Vec<u64>),
}

/// Leases on their way to the caller. If the caller goes away meanwhile, they are taken back.
pub(super) struct Granted<T> {
    found: Vec<T>,
    fences: Vec<u64>,
    shared: Arc<Shared>,
}

impl<T> Granted<T> {
    pub(super) fn new(found: Vec<T>, fence: impl Fn(&T) -> u64, shared: &Arc<Shared>) -> Self {
        let fences = found.iter().map(fence).collect();
        Self { found, fences, shared: shared.clone() }
    }

    /// The caller has them.
    pub(super) fn seen(mut self) -> Vec<T> {
        self.fences.clear();
        std::mem::take(&mut self.found)
    }
}

impl<T> Drop for Granted<T> {
    fn drop(&mut self) {
        if !self.fences.is_empty() {
            // A store that is being closed ends its leases anyway.
            let _closed = self.shared.inbox.push(Job::Revoke(std::mem::take(&mut self.fences)));
        }
    }
}

/// All that waited when the writer looked.
#[derive(Default)]
pub(super) struct Work {
    pub(super) jobs: Vec<Job>,
    /// Nothing comes after this.
    pub(super) closing: bool,
}

#[derive(Default)]
struct State {
    work: Work,
    rung: bool,
}

/// See the module.
#[derive(Default)]
pub(super) struct Inbox {
    state: Mutex<State>,
    bell: Condvar,
}

impl Inbox {
    pub(super) fn push(&self, job: Job) -> Result<(), SqlError> {
        let mut state = locked(&self.state);
        if state.work.closing {
            return Err(SqlError::closed());
        }
        state.work.jobs.push(job);
        self.wake(&mut state);
        Ok(())
    }

    /// Somebody began to wait, or the time was changed.
    pub(super) fn ring(&self) {
        self.wake(&mut locked(&self.state));
    }

    pub(super) fn close(&self) {
        let mut state = locked(&self.state);
        state.work.closing = true;
        self.wake(&mut state);
    }

    /// Drops what nobody will look at any more; whoever waits for an answer hears that there will be none.
    pub(super) fn abandon(&self) {
        let jobs = {
            let mut state = locked(&self.state);
            state.work.closing = true;
            std::mem::take(&mut state.work.jobs)
        };
        drop(jobs);
    }

    fn wake(&self, state: &mut State) {
        state.rung = true;
        self.bell.notify_one();
    }

    /// Waits until the bell rings, or for so long; `None` for ever. What rings meanwhile is not missed.
    /// Of a group as large as the last, `company` may be on their way: for so many more it waits a moment.
    pub(super) fn wait(&self, patience: Option<Duration>, company: usize) -> Work {
        let mut state = locked(&self.state);
        state = match patience {
            None => self.bell.wait_while(state, |state| !state.rung).unwrap_or_else(PoisonError::into_inner),
            Some(patience) => {
                let waited = self.bell.wait_timeout_while(state, patience, |state| !state.rung);
                waited.unwrap_or_else(PoisonError::into_inner).0
            }
        };
        let alone = |state: &mut State| state.work.jobs.len() < company && !state.work.closing;
        if !state.work.jobs.is_empty() && alone(&mut state) {
            let waited = self.bell.wait_timeout_while(state, COMPANY_WAIT, alone);
            state = waited.unwrap_or_else(PoisonError::into_inner).0;
        }
        state.rung = false;
        let closing = state.work.closing;
        let work = std::mem::take(&mut state.work);
        state.work.closing = closing;
        work
    }
}
