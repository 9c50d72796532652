//! The door to the ordered store. It keeps readers away from what is readable there but not yet durable.
//!
//! An ordered store shows a batch as soon as it is applied, and the disk has it a moment later. In between, the
//! instances that the batch touches stand in `in_flight`, and whoever wants to read one of them hands the read to the
//! committer, which runs it between two groups. All others read at once, beside the flush. A reader cannot overlap
//! with the applying itself, so it sees all of a batch or nothing.

use std::collections::BTreeSet;
use std::sync::{Mutex, PoisonError, RwLock};

use super::store::{Batch, OrderedStore, StoreError};
use crate::ids::InstanceId;
pub(super) use crate::providers::waiters::locked;

/// What a reader is going to look at.
#[derive(Debug, Clone)]
pub(super) enum Reach {
    Instances(Vec<InstanceId>),
    Everything,
}

enum Handle {
    Open(Box<dyn OrderedStore>),
    Away,
    Closed,
}

/// See the module.
pub(super) struct Gate {
    handle: RwLock<Handle>,
    in_flight: Mutex<BTreeSet<InstanceId>>,
}

impl Gate {
    pub(super) fn new(store: Box<dyn OrderedStore>) -> Self {
        Self { handle: RwLock::new(Handle::Open(store)), in_flight: Mutex::default() }
    }

    /// Reads now; hands `read` back if what it looks at is not durable yet.
    pub(super) fn try_read<T, F: FnOnce(Result<&dyn OrderedStore, StoreError>) -> T>(
        &self,
        reach: &Reach,
        read: F,
    ) -> Result<T, F> {
        let handle = self.handle.read().unwrap_or_else(PoisonError::into_inner);
        if self.is_in_flight(reach) {
            return Err(read);
        }
        Ok(read(handle.store()))
    }

    fn is_in_flight(&self, reach: &Reach) -> bool {
        let in_flight = locked(&self.in_flight);
        match reach {
            Reach::Instances(instances) => instances.iter().any(|id| in_flight.contains(id)),
            Reach::Everything => !in_flight.is_empty(),
        }
    }

    /// Reads also what is not durable yet: for the committer alone.
    pub(super) fn read<T>(&self, read: impl FnOnce(Result<&dyn OrderedStore, StoreError>) -> T) -> T {
        read(self.handle.read().unwrap_or_else(PoisonError::into_inner).store())
    }

    /// Applies a batch; from now on until [`Gate::landed`] nobody sees what it touches.
    pub(super) fn apply(&self, batch: Batch, touched: BTreeSet<InstanceId>) -> Result<(), StoreError> {
        let mut handle = self.handle.write().unwrap_or_else(PoisonError::into_inner);
        *locked(&self.in_flight) = touched;
        match &mut *handle {
            Handle::Open(store) => store.apply(batch),
            Handle::Away => Err(StoreError::Away),
            Handle::Closed => Err(StoreError::Closed),
        }
    }

    /// Works on the files; everybody waits.
    pub(super) fn upkeep(
        &self,
        work: impl FnOnce(&mut dyn OrderedStore) -> Result<(), StoreError>,
    ) -> Result<(), StoreError> {
        match &mut *self.handle.write().unwrap_or_else(PoisonError::into_inner) {
            Handle::Open(store) => work(&mut **store),
            Handle::Away => Err(StoreError::Away),
            Handle::Closed => Err(StoreError::Closed),
        }
    }

    /// What was applied is durable.
    pub(super) fn landed(&self) {
        locked(&self.in_flight).clear();
    }

    /// Drops the store; calls fail until [`Gate::open`].
    pub(super) fn away(&self) {
        *self.handle.write().unwrap_or_else(PoisonError::into_inner) = Handle::Away;
        self.landed();
    }

    pub(super) fn open(&self, store: Box<dyn OrderedStore>) {
        *self.handle.write().unwrap_or_else(PoisonError::into_inner) = Handle::Open(store);
    }

    pub(super) fn close(&self) {
        *self.handle.write().unwrap_or_else(PoisonError::into_inner) = Handle::Closed;
    }

    /// Fails while there is no store.
    pub(super) fn check(&self) -> Result<(), StoreError> {
        self.read(|store| store.map(|_| ()))
    }
}

impl Handle {
    fn store(&self) -> Result<&dyn OrderedStore, StoreError> {
        match self {
            Self::Open(store) => Ok(&**store),
            Self::Away => Err(StoreError::Away),
            Self::Closed => Err(StoreError::Closed),
        }
    }
}
