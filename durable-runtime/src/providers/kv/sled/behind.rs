//! Puts what a full log holds into sled, while commits go on in the other one.

use std::sync::Arc;
use std::thread::{self, JoinHandle};

use super::fresh::Fresh;
use super::log::Mark;
use super::{Files, MARK, guard};
use crate::providers::kv::store::StoreError;

/// How much sled is given between two syncs.
const PART_BYTES: usize = 1 << 20;

/// What sled is being given.
pub(super) struct Behind {
    pub(super) fresh: Arc<Fresh>,
    thread: JoinHandle<Result<(), StoreError>>,
}

impl Behind {
    /// Begins to give sled all of this. When it is there, sled says so with this mark.
    pub(super) fn begin(files: &Arc<Files>, fresh: Fresh, mark: Mark) -> Result<Self, StoreError> {
        let fresh = Arc::new(fresh);
        let (files, all) = (files.clone(), fresh.clone());
        let thread = thread::Builder::new().name("durable-behind".to_owned());
        let thread = thread.spawn(move || guard::call(|| settle(&files, &all, mark)))?;
        Ok(Self { fresh, thread })
    }

    pub(super) fn is_done(&self) -> bool {
        self.thread.is_finished()
    }

    /// Waits until sled has all of it.
    pub(super) fn finish(self) -> Result<(), StoreError> {
        self.thread.join().unwrap_or_else(|_| Err(StoreError::Other("putting commits into sled panicked".to_owned())))
    }
}

/// As long as the mark is the old one, all of it is done again when the store is opened; so it need not be one batch.
pub(super) fn settle(files: &Files, fresh: &Fresh, mark: Mark) -> Result<(), StoreError> {
    let (mut part, mut bytes) = (sled::Batch::default(), 0);
    for (key, value) in fresh.iter() {
        match value {
            Some(value) => part.insert(&key[..], &value[..]),
            // Much lives shorter than it takes to get here.
            None if !guard::call(|| files.db.contains_key(key))? => continue,
            None => part.remove(&key[..]),
        }
        bytes += key.len() + value.as_ref().map_or(0, bytes::Bytes::len);
        if bytes >= PART_BYTES {
            bytes = 0;
            files.put(std::mem::take(&mut part))?;
        }
    }
    part.insert(MARK, &mark.encode());
    files.put(part)
}
