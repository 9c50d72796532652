//! Executions kept in memory between turns: so many, of so many bytes together; the least recently used leave first.

use std::num::NonZeroUsize;

use lru::LruCache;

use crate::dispatch::kept::Kept;
use crate::dispatch::resident::Resident;
use crate::ids::InstanceId;

/// How much is kept.
#[derive(Debug, Clone, Copy)]
pub(in crate::dispatch) struct LiveMax {
    pub(in crate::dispatch) executions: NonZeroUsize,
    pub(in crate::dispatch) bytes: usize,
}

struct Entry {
    resident: Resident,
    kept: Kept,
    weight: usize,
}

/// See the module.
pub(super) struct LiveExecutions {
    entries: LruCache<InstanceId, Entry>,
    bytes: usize,
    bytes_max: usize,
}

impl LiveExecutions {
    pub(super) fn new(max: LiveMax) -> Self {
        Self { entries: LruCache::new(max.executions), bytes: 0, bytes_max: max.bytes }
    }

    /// Keeps it, and lets go of what there is no room for any more; that may be this one.
    pub(super) fn push(&mut self, instance: InstanceId, resident: Resident, kept: Kept) {
        let weight = resident.weight();
        self.bytes += weight;
        if let Some((_, left)) = self.entries.push(instance, Entry { resident, kept, weight }) {
            self.bytes -= left.weight;
        }
        while self.bytes > self.bytes_max
            && let Some((_, left)) = self.entries.pop_lru()
        {
            self.bytes -= left.weight;
        }
    }

    pub(super) fn pop(&mut self, instance: &InstanceId) -> Option<(Resident, Kept)> {
        let Entry { resident, kept, weight } = self.entries.pop(instance)?;
        self.bytes -= weight;
        Some((resident, kept))
    }

    pub(super) fn peek(&self, instance: &InstanceId) -> Option<&Resident> {
        self.entries.peek(instance).map(|entry| &entry.resident)
    }
}
