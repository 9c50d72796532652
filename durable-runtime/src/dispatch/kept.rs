//! What the store has of an instance beside its histories, and how a turn changes it.

use std::collections::BTreeMap;
use std::sync::Arc;

use super::effects::Effects;
use crate::history::KvTotals;
use crate::payload::Payload;
use crate::replay::{self, Changes};

/// Whether this turn has been begun too often.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub(super) enum Trial {
    /// No.
    #[default]
    None,
    /// Yes, but perhaps others were to blame: it is run alone, and the store knows.
    Begun,
    /// Its process did not survive that either.
    Lost,
}

/// What the store has of an instance beside histories, when a turn begins.
#[derive(Debug, Clone, Default)]
pub(super) struct Kept {
    pub(super) trial: Trial,
    /// What its record says of what it needs.
    pub(super) needs: Option<String>,
    pub(super) labels: BTreeMap<String, String>,
    pub(super) kv: Arc<BTreeMap<String, Payload>>,
}

impl Kept {
    /// What the code has set and taken away.
    pub(super) fn change(&mut self, changes: Changes, effects: &mut Effects) {
        for (name, value) in changes.labels {
            self.put_label(&name, value.as_deref());
            effects.set_labels(vec![(name, value)]);
        }
        for (key, value) in changes.kv {
            effects.put_kv(&key, value.as_ref());
            self.put_kv(&key, value);
        }
    }

    /// The id is used again: nothing stays of its earlier life.
    pub(super) fn forget(&mut self, effects: &mut Effects) {
        for name in std::mem::take(&mut self.labels).into_keys() {
            effects.set_labels(vec![(name, None)]);
        }
        for key in std::mem::take(&mut self.kv).keys() {
            effects.put_kv(key, None);
        }
    }

    pub(super) fn put_label(&mut self, name: &str, value: Option<&str>) {
        match value {
            Some(value) => drop(self.labels.insert(name.to_owned(), value.to_owned())),
            None => drop(self.labels.remove(name)),
        }
    }

    pub(super) fn put_kv(&mut self, key: &str, value: Option<Payload>) {
        let kv = Arc::make_mut(&mut self.kv);
        match value {
            Some(value) => drop(kv.insert(key.to_owned(), value)),
            None => drop(kv.remove(key)),
        }
    }

    /// How much there is.
    pub(super) fn totals(&self) -> KvTotals {
        let bytes = self.kv.iter().map(|(key, value)| replay::size(key, value.len())).sum();
        KvTotals { keys: self.kv.len() as u64, bytes }
    }
}
