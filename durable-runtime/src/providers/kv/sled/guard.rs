//! sled ends the thread where its files are not what it expects. Here that is an error like any other: the store says
//! that it is damaged, and whoever asked goes on.

use std::panic::{AssertUnwindSafe, catch_unwind};

use super::super::store::StoreError;

/// An error that can say that sled panicked.
pub(super) trait Panicked {
    fn panicked(message: String) -> Self;
}

impl Panicked for sled::Error {
    fn panicked(message: String) -> Self {
        Self::ReportableBug(message)
    }
}

impl Panicked for StoreError {
    fn panicked(message: String) -> Self {
        Self::Damaged(message)
    }
}

/// Calls into sled.
pub(super) fn call<T, E: Panicked>(work: impl FnOnce() -> Result<T, E>) -> Result<T, E> {
    catch_unwind(AssertUnwindSafe(work)).unwrap_or_else(|payload| {
        let text = payload.downcast_ref::<String>().map(String::as_str);
        let text = text.or_else(|| payload.downcast_ref::<&str>().copied()).unwrap_or("without a word");
        Err(E::panicked(format!("sled gave up on its files: {text}")))
    })
}
