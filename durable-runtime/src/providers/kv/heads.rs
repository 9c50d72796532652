//! The newest execution and the length of its history, for the instances used last: so that neither leasing a busy
//! instance nor checking what it appends reads the store.

use std::num::NonZeroUsize;
use std::sync::Mutex;

use lru::LruCache;

use super::gate::locked;
use crate::ids::{ExecutionId, InstanceId};

const HEADS_MAX: NonZeroUsize = NonZeroUsize::MIN.saturating_add(8 * 1024 - 1);

/// What is at the end of an instance.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) struct Head {
    pub(super) execution_id: ExecutionId,
    pub(super) history_len: u64,
    pub(super) revision: u64,
}

/// See the module. `None` for an instance that does not exist.
pub(super) struct Heads(Mutex<LruCache<InstanceId, Option<Head>>>);

impl Heads {
    pub(super) fn new() -> Self {
        // Room is made as it is needed, not at the start.
        let mut cache = LruCache::unbounded();
        cache.resize(HEADS_MAX);
        Self(Mutex::new(cache))
    }

    pub(super) fn get(&self, instance: &InstanceId) -> Option<Option<Head>> {
        locked(&self.0).get(instance).copied()
    }

    /// To be called while the store that says so cannot change, or by the committer.
    pub(super) fn put(&self, instance: &InstanceId, head: Option<Head>) {
        locked(&self.0).put(instance.clone(), head);
    }

    pub(super) fn clear(&self) {
        locked(&self.0).clear();
    }
}
