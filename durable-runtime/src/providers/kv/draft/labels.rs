//! The index of labels: for each label of an instance a key.

use std::collections::{BTreeMap, BTreeSet};

use super::super::record::Kind;
use super::super::store::{Order, StoreError};
use super::super::{keys, read};
use super::Draft;
use crate::ids::InstanceId;

/// How many keys of the index are looked at together.
const KEYS_AT_ONCE: usize = 4096;

type Labels = BTreeMap<String, String>;

impl Draft<'_> {
    pub(super) fn index_labels(&mut self, instance: &InstanceId, old: &Labels, new: &Labels) {
        let gone = old.iter().filter(|(name, value)| new.get(*name) != Some(*value));
        for (name, value) in gone {
            self.layer.writes.insert(keys::label(name, value, instance), None);
        }
        let fresh = new.iter().filter(|(name, value)| old.get(*name) != Some(*value));
        for (name, value) in fresh {
            self.write(Kind::Label, instance, &keys::label(name, value, instance), &[]);
        }
    }

    /// All keys of the index that name an instance, as its record says. If that is damaged, all of the index is searched.
    pub(super) fn unindex_labels(&mut self, instance: &InstanceId) -> Result<(), StoreError> {
        let gone: Vec<Vec<u8>> = match read::instance(instance, |key| self.get(key)) {
            Ok(None) => return Ok(()),
            Ok(Some((record, _))) => {
                record.labels.iter().map(|(name, value)| keys::label(name, value, instance)).collect()
            }
            Err(_) => self.search_index(instance)?.into_iter().collect(),
        };
        self.layer.writes.extend(gone.into_iter().map(|key| (key, None)));
        Ok(())
    }

    fn search_index(&self, instance: &InstanceId) -> Result<BTreeSet<Vec<u8>>, StoreError> {
        let range = keys::labels();
        let drafted = self.layer.writes.range(range.clone()).chain(self.ground.group.writes.range(range.clone()));
        let mut found: BTreeSet<Vec<u8>> = drafted.map(|(key, _)| key.clone()).collect();
        let mut from = range.start;
        loop {
            let pairs = self.ground.store.scan(&from..&range.end, Order::Ascending, KEYS_AT_ONCE)?;
            let Some((last, _)) = pairs.last() else { break };
            from = [last, [0].as_slice()].concat();
            found.extend(pairs.iter().map(|(key, _)| key.to_vec()));
        }
        found.retain(|key| keys::labelled_id(key).as_ref() == Some(instance));
        Ok(found)
    }
}
