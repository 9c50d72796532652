//! Which keys there are, and where their values stand: what is in memory of a store. Values stay on disk, so a key costs
//! its own bytes and some 50 more.

use std::collections::BTreeMap;
use std::ops::{Bound, Range};

use super::super::store::Order;
use super::frame;

/// Where a value stands.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) struct Location {
    pub(super) segment: u32,
    pub(super) offset: u32,
    pub(super) bytes: u32,
}

/// See the module.
#[derive(Debug, Default)]
pub(super) struct Places {
    map: BTreeMap<Box<[u8]>, Location>,
    /// How many bytes of each segment are still in use.
    live: BTreeMap<u32, u64>,
    keys: u64,
    total: u64,
}

impl Places {
    /// Of keys in ascending order; at most one of each.
    pub(super) fn of_sorted(entries: Vec<(Box<[u8]>, Location)>) -> Self {
        let mut places = Self::default();
        for (key, location) in &entries {
            places.count(key.len(), *location, true);
        }
        places.keys = entries.iter().map(|(key, _)| key.len() as u64).sum();
        places.map = entries.into_iter().collect();
        places
    }

    pub(super) fn get(&self, key: &[u8]) -> Option<Location> {
        self.map.get(key).copied()
    }

    pub(super) fn put(&mut self, key: &[u8], location: Location) {
        self.count(key.len(), location, true);
        let before = match self.map.get_mut(key) {
            Some(place) => Some(std::mem::replace(place, location)),
            None => {
                self.keys += key.len() as u64;
                self.map.insert(key.into(), location)
            }
        };
        if let Some(before) = before {
            self.count(key.len(), before, false);
        }
    }

    pub(super) fn remove(&mut self, key: &[u8]) {
        if let Some(before) = self.map.remove(key) {
            self.keys = self.keys.saturating_sub(key.len() as u64);
            self.count(key.len(), before, false);
        }
    }

    fn count(&mut self, key: usize, location: Location, added: bool) {
        let weight = frame::weight(key, location.bytes as usize);
        let live = self.live.entry(location.segment).or_default();
        if added {
            *live += weight;
            self.total += weight;
        } else {
            *live = live.saturating_sub(weight);
            self.total = self.total.saturating_sub(weight);
        }
        if *live == 0 {
            self.live.remove(&location.segment);
        }
    }

    /// The keys of a range with their places.
    pub(super) fn range(&self, range: Range<&[u8]>, order: Order, limit: usize) -> Vec<(&[u8], Location)> {
        if range.start >= range.end {
            return Vec::new();
        }
        let found = self.map.range::<[u8], _>((Bound::Included(range.start), Bound::Excluded(range.end)));
        let found = found.map(|(key, place)| (&**key, *place));
        match order {
            Order::Ascending => found.take(limit).collect(),
            Order::Descending => found.rev().take(limit).collect(),
        }
    }

    /// Up to `limit` keys after `after`, in order.
    pub(super) fn after(&self, after: Option<&[u8]>, limit: usize) -> impl Iterator<Item = (&[u8], Location)> {
        let from = after.map_or(Bound::Unbounded, Bound::Excluded);
        let found = self.map.range::<[u8], _>((from, Bound::Unbounded));
        found.take(limit).map(|(key, place)| (&**key, *place))
    }

    /// How many bytes of a segment are still in use.
    pub(super) fn live_of(&self, segment: u32) -> u64 {
        self.live.get(&segment).copied().unwrap_or_default()
    }

    /// The segments that have something that is still in use.
    pub(super) fn segments(&self) -> impl Iterator<Item = u32> {
        self.live.keys().copied()
    }

    /// How many bytes all keys have, and how many keys there are.
    pub(super) fn keys(&self) -> (u64, u64) {
        (self.keys, self.map.len() as u64)
    }

    /// How many bytes are in use.
    pub(super) fn live(&self) -> u64 {
        self.total
    }
}
