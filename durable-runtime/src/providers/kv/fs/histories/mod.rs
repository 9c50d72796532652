//! Histories a person can read: `instances/<slug>-<hash>/executions/<n>/history.jsonl`, one event a line.
//!
//! They are made from the journal, by a thread of their own, after the commit: nothing waits for them, and nothing reads
//! them. When a store is opened they are compared with the journal and put right.

mod files;
mod names;
mod sweep;

use std::collections::BTreeMap;
use std::path::PathBuf;
use std::sync::{Arc, Condvar, Mutex, PoisonError, RwLock};
use std::thread::JoinHandle;
use std::time::Duration;

use self::files::Files;
use self::sweep::Sweep;
use super::super::gate::locked;
use super::super::keys;
use super::super::store::Batch;
use super::shelf::Shelf;
use crate::ids::{EventId, ExecutionId, InstanceId};

/// So many keys are looked at before a store counts as open; in a store with more the thread does the rest.
const KEYS_AT_OPEN: usize = 4096;
const KEYS_AT_ONCE: usize = 64;

/// What happens within so much time is written together, unless it concerns many executions.
const GATHER: Duration = Duration::from_millis(100);
const MANY: usize = 4096;
const DUE_MAX: usize = 64 * 1024;
/// How long a full store waits for files that are being removed.
const SETTLE: Duration = Duration::from_secs(2);

type Execution = (InstanceId, ExecutionId);

/// What changed in the history of an execution.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Change {
    /// Records were added: the first events of the first and of the last.
    More(EventId, EventId),
    /// Records were taken away, and others may have taken their place.
    Anew,
}

impl Change {
    fn and(self, other: Self) -> Self {
        match (self, other) {
            (Self::More(first, last), Self::More(other_first, other_last)) => {
                Self::More(first.min(other_first), last.max(other_last))
            }
            _ => Self::Anew,
        }
    }
}

#[derive(Default)]
struct State {
    /// Applied, and maybe not on disk yet.
    noted: BTreeMap<Execution, Change>,
    /// To be written.
    due: BTreeMap<Execution, Change>,
    /// The thread knows that something is due.
    rung: bool,
    /// More was due than can be remembered.
    behind: bool,
    /// The thread has taken what was due, and is not done with it.
    busy: bool,
    /// Somebody waits until nothing is due: nothing is gathered meanwhile.
    awaited: bool,
    closing: bool,
}

#[derive(Default)]
struct Bell {
    state: Mutex<State>,
    rung: Condvar,
    settled: Condvar,
}

/// See the module.
pub(super) struct Histories {
    bell: Arc<Bell>,
    thread: Option<JoinHandle<()>>,
}

impl Histories {
    /// Puts the files in this folder right, and keeps them so. `None` if there can be no thread.
    pub(super) fn begin(folder: PathBuf, shelf: Arc<RwLock<Shelf>>) -> Option<Self> {
        let bell = Arc::new(Bell::default());
        let mut files = Files::new(folder, shelf);
        let mut sweep = Some(Sweep::default());
        for _ in 0..KEYS_AT_OPEN / KEYS_AT_ONCE {
            sweep = sweep.and_then(|sweep| sweep.step(&mut files, KEYS_AT_ONCE));
        }
        let of_thread = bell.clone();
        let thread = std::thread::Builder::new().name("durable-history".to_owned());
        let thread = thread.spawn(move || of_thread.run(&mut files, sweep));
        match thread {
            Ok(thread) => Some(Self { bell, thread: Some(thread) }),
            Err(error) => {
                tracing::error!(%error, "no thread can be started: the readable histories are not kept up");
                None
            }
        }
    }

    /// Looks for events among the keys of a batch.
    pub(super) fn note(&self, batch: &Batch) {
        let mut state = None;
        for (key, value) in batch {
            let Some((instance, execution, first)) = keys::history_ids(key) else { continue };
            let change = if value.is_some() { Change::More(first, first) } else { Change::Anew };
            let state = state.get_or_insert_with(|| locked(&self.bell.state));
            let noted = state.noted.entry((instance, execution)).or_insert(change);
            *noted = noted.and(change);
        }
    }

    /// What was noted is on disk.
    pub(super) fn begin_writing(&self) {
        let mut state = locked(&self.bell.state);
        if state.noted.is_empty() {
            return;
        }
        for (execution, change) in std::mem::take(&mut state.noted) {
            let due = state.due.entry(execution).or_insert(change);
            *due = due.and(change);
        }
        if state.due.len() > DUE_MAX {
            // The thread is that far behind: it had better go through all of them when there is time.
            state.due.clear();
            state.behind = true;
        }
        if state.due.len() >= MANY || !state.rung {
            state.rung = true;
            self.bell.rung.notify_one();
        }
    }

    /// Waits until what was due is done, as long as that is soon: files of deleted instances take space until then.
    pub(super) fn settle(&self) {
        let mut state = locked(&self.bell.state);
        state.awaited = true;
        self.bell.rung.notify_one();
        let unsettled = |state: &mut State| state.busy || !state.due.is_empty();
        let waited = self.bell.settled.wait_timeout_while(state, SETTLE, unsettled);
        waited.unwrap_or_else(PoisonError::into_inner).0.awaited = false;
    }
}

impl Drop for Histories {
    /// Returns when everything that is due is written.
    fn drop(&mut self) {
        locked(&self.bell.state).closing = true;
        self.bell.rung.notify_one();
        if let Some(thread) = self.thread.take()
            && thread.join().is_err()
        {
            tracing::error!("the thread of the readable histories panicked");
        }
    }
}

impl Bell {
    fn run(&self, files: &mut Files, mut sweep: Option<Sweep>) {
        loop {
            let state = locked(&self.state);
            let nothing =
                |state: &mut State| state.due.is_empty() && !state.closing && !state.behind && sweep.is_none();
            let state = self.rung.wait_while(state, nothing).unwrap_or_else(PoisonError::into_inner);
            let few = |state: &mut State| !state.closing && !state.awaited && (1..MANY).contains(&state.due.len());
            let waited = self.rung.wait_timeout_while(state, GATHER, few).unwrap_or_else(PoisonError::into_inner);
            let mut state = waited.0;
            let (due, closing) = (std::mem::take(&mut state.due), state.closing);
            (state.rung, state.busy) = (false, true);
            if std::mem::take(&mut state.behind) {
                sweep = Some(Sweep::default());
            }
            drop(state);
            if due.is_empty() && closing {
                return;
            }
            if due.is_empty() {
                sweep = sweep.and_then(|sweep| sweep.step(files, KEYS_AT_ONCE));
            }
            for ((instance, execution), change) in due {
                files.update(&instance, execution, change);
            }
            locked(&self.state).busy = false;
            self.settled.notify_all();
        }
    }
}
