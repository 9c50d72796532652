//! What several threads or several runs would share.

use super::Row;

pub(super) const ROWS: &[Row] = &[Row::new(
    ("DUR0409", "shared_state"),
    &[
        "std::sync::Mutex::*",
        "std::sync::RwLock::*",
        "std::sync::Condvar::*",
        "std::sync::Barrier::*",
        "std::sync::Once::*",
        "std::sync::OnceLock::*",
        "std::sync::LazyLock::*",
        "std::sync::atomic::*",
        "tokio::sync::*",
        "async_std::sync::*",
        "futures::lock::*",
        "smol::lock::*",
        "async_lock::*",
        "parking_lot::*",
        "once_cell::sync::*",
        "once_cell::race::*",
        "lazy_static::lazy_static!",
        "dashmap::*",
        "arc_swap::*",
    ],
    "is shared with code that no history records, and a replay finds something else in it",
    "use local variables, or `Rc<RefCell<_>>` to share inside of the orchestration",
)
.except(&[
    "std::sync::atomic::Ordering",
    "tokio::sync::mpsc",
    "tokio::sync::oneshot",
    "tokio::sync::broadcast",
    "tokio::sync::watch",
    "async_std::sync::Arc",
    "async_std::sync::Weak",
])
.spelled(&[
    "std::sync::Mutex::new",
    "std::sync::RwLock::new",
    "std::sync::Condvar::new",
    "std::sync::Barrier::new",
    "std::sync::OnceLock::new",
    "std::sync::LazyLock::new",
    "std::sync::atomic::AtomicBool",
    "std::sync::atomic::AtomicU64",
    "std::sync::atomic::AtomicUsize",
    "tokio::sync::Mutex::new",
    "tokio::sync::Notify::new",
    "tokio::sync::Semaphore::new",
])];
