//! What can be read of a journal: the places, and the files they are in.

use std::collections::BTreeMap;
use std::io;
use std::ops::Range;

use bytes::Bytes;

use super::super::store::{Order, Pair, StoreError};
use super::places::{Location, Places};
use super::segment::Segment;

/// See the module.
#[derive(Default)]
pub(super) struct Shelf {
    pub(super) places: Places,
    pub(super) segments: BTreeMap<u32, Segment>,
}

impl Shelf {
    pub(super) fn get(&self, key: &[u8]) -> Result<Option<Bytes>, StoreError> {
        self.places.get(key).map(|location| self.read(location)).transpose()
    }

    pub(super) fn scan(&self, range: Range<&[u8]>, order: Order, limit: usize) -> Result<Vec<Pair>, StoreError> {
        let found = self.places.range(range, order, limit).into_iter();
        found.map(|(key, location)| Ok((Bytes::copy_from_slice(key), self.read(location)?))).collect()
    }

    /// A value that the file does not have any more reads as nothing: then it is no record, and whoever reads it says
    /// which one is damaged. The others can be read.
    pub(super) fn read(&self, location: Location) -> Result<Bytes, StoreError> {
        let Some(segment) = self.segments.get(&location.segment) else { return Ok(Bytes::new()) };
        let mut value = vec![0; location.bytes as usize];
        match segment.file.read_at(location.offset.into(), &mut value) {
            Ok(()) => Ok(value.into()),
            Err(error) if error.kind() == io::ErrorKind::UnexpectedEof => Ok(Bytes::new()),
            Err(error) => Err(error.into()),
        }
    }

    /// How many bytes all segments take.
    pub(super) fn bytes(&self) -> u64 {
        self.segments.values().map(|segment| u64::from(segment.bytes)).sum()
    }
}
