//! The keys and values of an instance.

use bytes::Bytes;

use super::super::record::{Kind, Place};
use super::super::store::{Order, StoreError};
use super::super::{chunks, keys};
use super::{COMMIT, Draft};
use crate::ids::InstanceId;
use crate::providers::CommitError;

impl Draft<'_> {
    pub(super) fn put_entries(
        &mut self,
        instance: &InstanceId,
        entries: Vec<(String, Option<Bytes>)>,
    ) -> Result<(), CommitError> {
        self.record(instance)?;
        for (name, value) in entries {
            let key = keys::entry(instance, &name);
            let old = self.parts_of(instance, &key).map_err(|error| error.during(COMMIT).instance(instance))?;
            let parts = match value {
                Some(value) => self.write(Kind::Entry, instance, &key, &value),
                None => {
                    self.layer.writes.insert(key.clone(), None);
                    0
                }
            };
            self.drop_parts(&key, parts..old);
        }
        Ok(())
    }

    /// In how many parts a value is kept beside its key. One that is damaged can be overwritten too.
    fn parts_of(&self, instance: &InstanceId, key: &[u8]) -> Result<u32, StoreError> {
        let Some(value) = self.get(key)? else { return Ok(0) };
        let place = Place { kind: Kind::Entry, owner: Some(instance), key };
        if let Ok(parts) = chunks::parts(place, value) {
            return Ok(parts);
        }
        let mut after_last = keys::chunk(key, u32::MAX);
        after_last.push(0);
        let last = self.ground.store.scan(&keys::chunk(key, 0)..&after_last, Order::Descending, 1)?;
        let number = last.first().and_then(|(key, _)| key.last_chunk::<4>().copied()).map(u32::from_be_bytes);
        Ok(number.map_or(0, |number| number.saturating_add(1)))
    }
}
