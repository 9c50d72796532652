//! How a record is known again: a database finds torn files, not flipped bits. Bytes stand in the same envelope as in
//! the other stores, and small rows carry a checksum; both cover the columns beside them that must not change.

use bytes::Bytes;

use crate::ids::InstanceId;
use crate::providers::record::{self, Damage, Kind};

/// What stands in the columns of a row.
pub(super) struct Place(Vec<u8>);

impl Place {
    pub(super) fn new(table: &str) -> Self {
        Self(Vec::with_capacity(64)).text(table)
    }

    pub(super) fn text(mut self, text: &str) -> Self {
        self.0.extend((text.len() as u64).to_be_bytes());
        self.0.extend(text.as_bytes());
        self
    }

    pub(super) fn maybe(self, text: Option<&str>) -> Self {
        match text {
            Some(text) => self.number(1).text(text),
            None => self.number(0),
        }
    }

    pub(super) fn number(mut self, number: u64) -> Self {
        self.0.extend(number.to_be_bytes());
        self
    }

    /// The checksum of a row without bytes.
    pub(super) fn sum(&self) -> u64 {
        u64::from(crc32c::crc32c(&self.0))
    }

    /// The bytes of a row, in their envelope.
    pub(super) fn seal(&self, kind: Kind, owner: &InstanceId, body: &[u8]) -> Vec<u8> {
        record::seal(record::Place { kind, owner: Some(owner), key: &self.0 }, 0, body)
    }

    /// The bytes of a row, out of their envelope.
    pub(super) fn open(&self, kind: Kind, owner: &InstanceId, bytes: Bytes) -> Result<Bytes, Damage> {
        let (_, body) = record::open(record::Place { kind, owner: Some(owner), key: &self.0 }, bytes)?;
        Ok(body)
    }
}
