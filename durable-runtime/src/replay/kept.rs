//! What an execution keeps beside its history: values by key, and labels. Reading them is a decision, so what is read of
//! an earlier execution is in the history.

use std::collections::BTreeMap;

use crate::history::KvTotals;
use crate::limits::Limits;
use crate::payload::Payload;

/// What counts towards the limit of all values.
pub(crate) fn size(key: &str, value_bytes: usize) -> u64 {
    (key.len() + value_bytes) as u64
}

/// What is recorded of a key that an earlier execution may have set.
#[derive(Debug, Clone)]
pub(crate) struct Found {
    pub(crate) value: Option<Payload>,
    /// How long the value is, also if it is not recorded.
    pub(crate) bytes: Option<u64>,
}

/// Why a value is not kept.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) enum Full {
    Value { most: usize },
    Keys { most: usize },
    Bytes { most: usize },
}

/// The values by key, as the code sees them.
#[derive(Default)]
pub(crate) struct Kv {
    /// What this execution has set, taken away or read.
    known: BTreeMap<String, Known>,
    totals: KvTotals,
    changes: BTreeMap<String, Option<Payload>>,
}

struct Known {
    value: Option<Payload>,
    bytes: Option<u64>,
}

impl Kv {
    /// What the executions before this one have left.
    pub(super) fn begin(&mut self, totals: KvTotals) {
        self.totals = totals;
    }

    /// Whether the key may have a value that this execution has not seen.
    pub(super) fn is_unknown(&self, key: &str) -> bool {
        self.totals.keys > 0 && !self.known.contains_key(key)
    }

    pub(super) fn learn(&mut self, key: &str, found: Found) {
        self.known.insert(key.to_owned(), Known { value: found.value, bytes: found.bytes });
    }

    pub(super) fn get(&self, key: &str) -> Option<Payload> {
        self.known.get(key)?.value.clone()
    }

    /// Sets a value or takes it away; refuses what is too much.
    pub(super) fn put(&mut self, key: &str, value: Option<Payload>, limits: &Limits) -> Result<(), Full> {
        let old = self.known.get(key).and_then(|known| known.bytes).map(|bytes| bytes + key.len() as u64);
        let new = value.as_ref().map(|value| size(key, value.len()));
        let keys = self.totals.keys - u64::from(old.is_some()) + u64::from(new.is_some());
        let bytes = self.totals.bytes.saturating_sub(old.unwrap_or_default()) + new.unwrap_or_default();
        if let Some(value) = &value {
            if value.len() > limits.kv_value_bytes_max {
                return Err(Full::Value { most: limits.kv_value_bytes_max });
            }
            if keys > limits.kv_keys_max as u64 {
                return Err(Full::Keys { most: limits.kv_keys_max });
            }
            if bytes > limits.kv_bytes_max as u64 {
                return Err(Full::Bytes { most: limits.kv_bytes_max });
            }
        }
        self.totals = KvTotals { keys, bytes };
        let known = Known { bytes: value.as_ref().map(|value| value.len() as u64), value: value.clone() };
        self.known.insert(key.to_owned(), known);
        self.changes.insert(key.to_owned(), value);
        Ok(())
    }

    /// What was set and taken away since the last call.
    pub(super) fn take_changes(&mut self) -> BTreeMap<String, Option<Payload>> {
        std::mem::take(&mut self.changes)
    }
}

/// The labels, as the code sees them.
#[derive(Default)]
pub(crate) struct Labels {
    all: BTreeMap<String, String>,
    changes: BTreeMap<String, Option<String>>,
}

impl Labels {
    pub(super) fn begin(&mut self, labels: BTreeMap<String, String>) {
        self.all = labels;
    }

    pub(crate) fn all(&self) -> &BTreeMap<String, String> {
        &self.all
    }

    /// Sets a label or takes it away; answers `false`, and changes nothing, if there are too many.
    pub(crate) fn put(&mut self, name: &str, value: Option<&str>, most: usize) -> bool {
        match value {
            Some(_) if self.all.len() >= most && !self.all.contains_key(name) => return false,
            Some(value) => drop(self.all.insert(name.to_owned(), value.to_owned())),
            None => drop(self.all.remove(name)),
        }
        self.changes.insert(name.to_owned(), value.map(str::to_owned));
        true
    }

    /// What was set and taken away since the last call.
    pub(super) fn take_changes(&mut self) -> BTreeMap<String, Option<String>> {
        std::mem::take(&mut self.changes)
    }
}
