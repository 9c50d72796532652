//! A store that ends with the process: for tests, and for work that may be lost.

use std::collections::BTreeMap;
use std::ops::{Bound, Range};
use std::path::PathBuf;
use std::sync::{Arc, Mutex};

use bytes::Bytes;

use super::engine::KvProvider;
use super::gate::locked;
use super::recover::recover;
use super::store::{Batch, Opener, Order, OrderedStore, Pair, StoreError};
use crate::clock::{Clock, SystemClock};
use crate::providers::{Capabilities, OpenError};

/// Says that keys are kept in memory.
#[derive(Debug)]
pub enum Memory {}

/// Keeps instances in memory. Nothing outlives the process.
///
/// ```
/// use durable_runtime::providers::{MemoryProvider, Provider};
///
/// let store = MemoryProvider::new();
/// assert!(!store.capabilities().persistent);
/// ```
pub type MemoryProvider = KvProvider<Memory>;

impl KvProvider<Memory> {
    /// An empty store with the clock of this machine.
    ///
    /// # Panics
    /// If the system cannot start a thread.
    pub fn new() -> Self {
        Self::with_clock(SystemClock)
    }

    /// An empty store with this clock.
    ///
    /// # Panics
    /// If the system cannot start a thread, as [`std::thread::spawn`] does.
    #[expect(clippy::panic, reason = "a machine without threads has no use for a store in memory")]
    pub fn with_clock(clock: impl Clock) -> Self {
        let mut store: Box<dyn OrderedStore> = Box::new(MemoryStore::default());
        let started = match recover(&mut *store) {
            Ok(recovered) => Self::start(
                Box::new(NoOpener),
                (store, recovered),
                Arc::new(clock),
                Capabilities::new("memory").takes_turns(),
            )
            .map_err(|error| error.to_string()),
            Err(error) => Err(error.to_string()),
        };
        started.unwrap_or_else(|error| panic!("a store in memory cannot be started: {error}"))
    }
}

impl Default for KvProvider<Memory> {
    fn default() -> Self {
        Self::new()
    }
}

/// Memory does not fail, so nothing is ever opened again.
struct NoOpener;

impl Opener for NoOpener {
    fn open(&self) -> Result<Box<dyn OrderedStore>, OpenError> {
        Err(OpenError::Corrupt { path: PathBuf::from("memory"), message: "what was in memory is lost".to_owned() })
    }
}

/// Ordered keys in memory.
#[derive(Debug, Default, Clone)]
pub(super) struct MemoryStore(Arc<Mutex<BTreeMap<Bytes, Bytes>>>);

impl OrderedStore for MemoryStore {
    fn get(&self, key: &[u8]) -> Result<Option<Bytes>, StoreError> {
        Ok(locked(&self.0).get(key).cloned())
    }

    fn scan(&self, range: Range<&[u8]>, order: Order, limit: usize) -> Result<Vec<Pair>, StoreError> {
        if range.start >= range.end {
            return Ok(Vec::new());
        }
        let map = locked(&self.0);
        let pairs = map.range::<[u8], _>((Bound::Included(range.start), Bound::Excluded(range.end)));
        let copy = |(key, value): (&Bytes, &Bytes)| (key.clone(), value.clone());
        Ok(match order {
            Order::Ascending => pairs.take(limit).map(copy).collect(),
            Order::Descending => pairs.rev().take(limit).map(copy).collect(),
        })
    }

    fn apply(&mut self, batch: Batch) -> Result<(), StoreError> {
        let mut map = locked(&self.0);
        for (key, value) in batch {
            match value {
                Some(value) => map.insert(key.into(), value.into()),
                None => map.remove(key.as_slice()),
            };
        }
        Ok(())
    }

    fn sync(&self) -> Result<(), StoreError> {
        Ok(())
    }
}
