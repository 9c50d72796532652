//! Which execution runs on this thread right now: how a `Copy` context reaches its state.

use std::cell::RefCell;
use std::rc::Rc;

use super::journal::Journal;
use crate::ids::CommandId;

/// Tells executions of one thread apart, so that a context that was kept for later does not reach a stranger's state.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct ExecutionKey(u64);

struct Current {
    key: ExecutionKey,
    journal: Rc<RefCell<Journal>>,
}

thread_local! {
    static CURRENT: RefCell<Option<Current>> = const { RefCell::new(None) };
    static KEYS: RefCell<u64> = const { RefCell::new(0) };
}

impl ExecutionKey {
    /// A key that no other execution of this thread has.
    pub(crate) fn fresh() -> Self {
        KEYS.with_borrow_mut(|last| {
            *last += 1;
            Self(*last)
        })
    }
}

/// Runs code of this execution: its context works until the call returns.
pub(crate) fn enter<R>(key: ExecutionKey, journal: &Rc<RefCell<Journal>>, run: impl FnOnce() -> R) -> R {
    let before = CURRENT.replace(Some(Current { key, journal: Rc::clone(journal) }));
    let _restore = Restore(before);
    run()
}

struct Restore(Option<Current>);

impl Drop for Restore {
    fn drop(&mut self) {
        CURRENT.set(self.0.take());
    }
}

/// Which commands have come back, and nobody has looked, in the execution that runs.
pub(crate) fn settled() -> Vec<CommandId> {
    let journal = CURRENT.with_borrow(|current| Some(Rc::clone(&current.as_ref()?.journal)));
    journal.map(|journal| journal.borrow().settled().collect()).unwrap_or_default()
}

/// Reaches the state of the execution that runs, if it is this one.
pub(crate) fn try_with<R>(key: ExecutionKey, with: impl FnOnce(&mut Journal) -> R) -> Option<R> {
    let journal = CURRENT.with_borrow(|current| {
        let current = current.as_ref().filter(|current| current.key == key)?;
        Some(Rc::clone(&current.journal))
    })?;
    let mut journal = journal.borrow_mut();
    Some(with(&mut journal))
}

/// Reaches the state of the execution that runs.
///
/// # Panics
/// If the context is of an execution that does not run now: it was carried out of its orchestration.
#[track_caller]
pub(crate) fn with<R>(key: ExecutionKey, with: impl FnOnce(&mut Journal) -> R) -> R {
    #[expect(clippy::expect_used, reason = "a context outside its turn has no state; there is no value to return")]
    try_with(key, with).expect("an `OrchestrationContext` was used outside the turn of its orchestration")
}
