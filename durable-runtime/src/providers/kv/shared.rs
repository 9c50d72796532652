//! What the committer and the callers share.

use std::collections::BTreeSet;
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::{Arc, Mutex};

use tokio::sync::oneshot;

use super::gate::{Gate, Reach, locked};
use super::heads::Heads;
use super::inbox::Inbox;
use super::index::Index;
use super::store::{Batch, OrderedStore, StoreError};
use super::waiters::{Awaited, Waiters, Waiting};
use crate::clock::{Clock, Timestamp};
use crate::ids::InstanceId;
use crate::providers::ProviderError;
use crate::providers::groups::GroupCounter;

/// See the module.
pub(super) struct Shared {
    pub(super) gate: Gate,
    pub(super) index: Mutex<Index>,
    pub(super) heads: Heads,
    pub(super) waiters: Waiters,
    pub(super) inbox: Inbox,
    pub(super) clock: Arc<dyn Clock>,
    /// What was kept since a copy was begun, if one is being made.
    pub(super) changes: Mutex<Option<Vec<Batch>>>,
    pub(super) groups: GroupCounter,
    closed: AtomicBool,
}

impl Shared {
    pub(super) fn new(store: Box<dyn OrderedStore>, index: Index, clock: Arc<dyn Clock>) -> Self {
        Self {
            gate: Gate::new(store),
            index: Mutex::new(index),
            heads: Heads::new(),
            waiters: Waiters::default(),
            inbox: Inbox::default(),
            clock,
            changes: Mutex::default(),
            groups: GroupCounter::default(),
            closed: AtomicBool::new(false),
        }
    }

    /// Reads what is durable. Waits for the flush that is under way if what it looks at is part of that.
    pub(super) async fn read<T: Send + 'static>(
        &self,
        operation: &'static str,
        reach: Reach,
        read: impl FnOnce(&dyn OrderedStore) -> Result<T, ProviderError> + Send + 'static,
    ) -> Result<T, ProviderError> {
        match self.begin_reading(operation, &reach, read)? {
            Ok(answer) => Ok(answer),
            Err(answer) => answer.await.map_err(|_| StoreError::Closed.during(operation))?,
        }
    }

    /// As [`Shared::read`], on a thread that may wait.
    pub(super) fn read_blocking<T: Send + 'static>(
        &self,
        operation: &'static str,
        reach: Reach,
        read: impl FnOnce(&dyn OrderedStore) -> Result<T, ProviderError> + Send + 'static,
    ) -> Result<T, ProviderError> {
        match self.begin_reading(operation, &reach, read)? {
            Ok(answer) => Ok(answer),
            Err(answer) => answer.blocking_recv().map_err(|_| StoreError::Closed.during(operation))?,
        }
    }

    /// What was read, or where it will be said.
    fn begin_reading<T: Send + 'static>(
        &self,
        operation: &'static str,
        reach: &Reach,
        read: impl FnOnce(&dyn OrderedStore) -> Result<T, ProviderError> + Send + 'static,
    ) -> Result<Result<T, oneshot::Receiver<Result<T, ProviderError>>>, ProviderError> {
        let read = move |store: Result<&dyn OrderedStore, StoreError>| {
            store.map_err(|error| error.during(operation)).and_then(read)
        };
        let read = match self.gate.try_read(reach, read) {
            Ok(answer) => return answer.map(Ok),
            Err(read) => read,
        };
        let (reply, answer) = oneshot::channel();
        let later = Box::new(move |store: Result<&dyn OrderedStore, StoreError>| {
            let _gone = reply.send(read(store));
        });
        self.inbox.read(later).map_err(|error| error.during(operation))?;
        Ok(Err(answer))
    }

    /// Makes a batch readable, and notes it if a copy is being made; a copy may have what was not kept in the end only
    /// if the handle fails, and then it is not finished.
    pub(super) fn apply(&self, batch: Batch, touched: BTreeSet<InstanceId>) -> Result<(), StoreError> {
        let copied = locked(&self.changes).as_ref().map(|_| batch.clone());
        self.gate.apply(batch, touched)?;
        if let (Some(batch), Some(changes)) = (copied, &mut *locked(&self.changes)) {
            changes.push(batch);
        }
        Ok(())
    }

    /// The index, with everything that has expired by now taken out of it.
    pub(super) fn with_index<T>(&self, work: impl FnOnce(&mut Index, Timestamp) -> T) -> T {
        let now = self.clock.now();
        let mut index = locked(&self.index);
        let freed = index.expire(now);
        let answer = work(&mut index, now);
        drop(index);
        if freed {
            self.wake_fetchers();
        }
        answer
    }

    pub(super) fn sync(&self) -> Result<(), StoreError> {
        self.gate.read(|store| store?.sync())
    }

    /// When something changes by time alone.
    pub(super) fn next_change(&self) -> Option<Timestamp> {
        let now = self.clock.now();
        let of_index = locked(&self.index).next_change(now);
        of_index.into_iter().chain(self.waiters.next_deadline(now)).min()
    }

    /// Looks at what has come due, and wakes whom it concerns.
    pub(super) fn wake_due(&self, woken_until: &mut Timestamp) {
        let now = self.clock.now();
        let came_due = self.with_index(|index, now| index.next_change(*woken_until).is_some_and(|due| due <= now));
        *woken_until = now;
        if came_due {
            self.wake_fetchers();
        }
        self.waiters.wake_due(now);
    }

    pub(super) fn wake_after_commit(&self, changed: BTreeSet<InstanceId>) {
        self.wake_fetchers();
        self.waiters.wake(&Awaited::Commit);
        changed.into_iter().for_each(|instance| self.waiters.wake(&Awaited::Change(instance)));
    }

    /// Nobody is woken for nothing: most of what a commit brings is in somebody's hands already.
    pub(super) fn wake_fetchers(&self) {
        let (turns, activities) = locked(&self.index).ready(self.clock.now());
        if turns {
            self.waiters.wake(&Awaited::Turns);
        }
        if activities {
            self.waiters.wake(&Awaited::Activities);
        }
    }

    /// The committer is gone, and files and locks with it.
    pub(super) fn closed(&self) {
        self.inbox.abandon();
        self.gate.close();
        self.closed.store(true, Ordering::SeqCst);
        self.waiters.wake_all();
    }

    pub(super) fn is_closed(&self) -> bool {
        self.closed.load(Ordering::SeqCst)
    }
}

impl Waiting for Shared {
    fn waiters(&self) -> &Waiters {
        &self.waiters
    }

    fn clock(&self) -> &dyn Clock {
        &*self.clock
    }

    fn due(&self, deadline: Timestamp) {
        self.inbox.due(deadline);
    }
}
