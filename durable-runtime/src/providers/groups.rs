//! How transactions were written together: what both engines count.

use std::sync::{Mutex, PoisonError};
use std::time::Duration;

use crate::observe::Distribution;

/// How transactions were written together since the store was opened.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
#[non_exhaustive]
pub struct Groups {
    /// How many transactions each group had.
    pub sizes: Distribution,
    /// How long it took until a group was on disk, in microseconds; without [`Durability::Immediate`](super::Durability)
    /// until it was handed to the system.
    pub times: Distribution,
}

/// Counts them.
#[derive(Default)]
pub(super) struct GroupCounter(Mutex<Groups>);

impl GroupCounter {
    pub(super) fn add(&self, transactions: usize, took: Duration) {
        let mut groups = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        groups.sizes.add(transactions as u64);
        groups.times.add_time(took);
    }

    pub(super) fn read(&self) -> Groups {
        *self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn each_group_counts_with_its_size_and_its_time() {
        let counter = GroupCounter::default();
        for (transactions, millis) in [(3, 5), (1, 0), (40, 70)] {
            counter.add(transactions, Duration::from_millis(millis));
        }
        let groups = counter.read();
        assert_eq!((groups.sizes.count, groups.sizes.sum), (3, 44));
        assert_eq!((groups.times.count, groups.times.sum), (3, 75_000), "in microseconds");
    }
}
