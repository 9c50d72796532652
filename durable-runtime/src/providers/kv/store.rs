//! What an ordered store has to do to carry the engine: a few methods.

use std::io;
use std::ops::Range;

use bytes::Bytes;

use super::super::{ErrorKind, OpenError, ProviderError};

/// A key and its value.
pub(super) type Pair = (Bytes, Bytes);

/// From which end a range is read.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Order {
    Ascending,
    Descending,
}

/// Keys to be set (`Some`) or taken out (`None`), all or none.
pub(super) type Batch = Vec<(Vec<u8>, Option<Vec<u8>>)>;

/// Ordered keys with values of at most 4 KiB. One thread writes, any number read.
pub(super) trait OrderedStore: Send + Sync + 'static {
    /// The value of a key.
    fn get(&self, key: &[u8]) -> Result<Option<Bytes>, StoreError>;

    /// Up to `limit` pairs of the range. Stops at the first error: what is damaged may be so for ever.
    fn scan(&self, range: Range<&[u8]>, order: Order, limit: usize) -> Result<Vec<Pair>, StoreError>;

    /// Makes the whole batch readable. After an error the handle is worth nothing any more.
    fn apply(&mut self, batch: Batch) -> Result<(), StoreError>;

    /// Returns when everything applied is on disk. After an error the handle is worth nothing any more.
    fn sync(&self) -> Result<(), StoreError>;

    /// Whether there is so little space that only what takes away can be kept.
    fn is_full(&self) -> bool {
        false
    }

    /// Whether there is so little that even taking away has to wait.
    fn is_stuck(&self) -> bool {
        false
    }

    /// Called when it is full: whatever can be done about that. After an error the handle is worth nothing any more.
    fn make_room(&mut self) -> Result<(), StoreError> {
        Ok(())
    }

    /// Makes files as small as they can be. After an error the handle is worth nothing any more.
    fn compact(&mut self) -> Result<(), StoreError> {
        Ok(())
    }
}

/// Opens the same store again and again: at the start, and after an error of the handle before.
pub(super) trait Opener: Send + 'static {
    /// A fresh handle. The one before was dropped.
    fn open(&self) -> Result<Box<dyn OrderedStore>, OpenError>;
}

/// An ordered store failed.
#[derive(Debug, thiserror::Error)]
pub(super) enum StoreError {
    #[error(transparent)]
    Io(#[from] io::Error),
    #[error("{0}")]
    Damaged(String),
    #[error("{0}")]
    Other(String),
    #[error("the store is being opened again after an error")]
    Away,
    #[error("the store was closed")]
    Closed,
}

impl StoreError {
    pub(super) fn kind(&self) -> ErrorKind {
        match self {
            Self::Io(error) if error.kind() == io::ErrorKind::StorageFull => ErrorKind::Full,
            Self::Io(_) | Self::Other(_) | Self::Away => ErrorKind::Unavailable,
            Self::Damaged(_) => ErrorKind::Corrupt,
            Self::Closed => ErrorKind::Closed,
        }
    }

    /// As the error of an operation of the port.
    pub(super) fn during(self, operation: &'static str) -> ProviderError {
        ProviderError::new(self.kind(), operation, &self).source(self)
    }
}
