//! Puts what a full log holds into sled, while commits go on in the other one.

use std::sync::Arc;
use std::thread::{self, JoinHandle};

use super::fresh::Fresh;
use super::log::Mark;
use super::{Files, MARK, guard};
use crate::providers::kv::store::StoreError;

/// How much sled is given between two syncs.
const PART_BYTES: usize = 1 << 20;
/// What a key that is taken out counts: where much is, sled moves the rest together, which is far more than the key.
const REMOVED_BYTES: usize = 2 << 10;

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
        bytes += key.len() + value.as_ref().map_or(REMOVED_BYTES, bytes::Bytes::len);
        if bytes >= PART_BYTES {
            bytes = 0;
            files.put(std::mem::take(&mut part))?;
        }
    }
    part.insert(MARK, &mark.encode());
    files.put(part)
}

#[cfg(test)]
mod tests {
    use std::fs::File;
    use std::io;
    use std::sync::atomic::{AtomicUsize, Ordering};

    use super::super::{LetGo, open_when_let_go};
    use super::*;
    use crate::providers::kv::disk::DiskFile;

    /// Counts how often it is synced.
    #[derive(Default)]
    struct Counted(AtomicUsize);

    impl DiskFile for Counted {
        fn size(&self) -> io::Result<u64> {
            Ok(0)
        }

        fn read_at(&self, _: u64, _: &mut [u8]) -> io::Result<()> {
            Err(io::ErrorKind::Unsupported.into())
        }

        fn write_at(&self, _: u64, _: &[u8]) -> io::Result<()> {
            Err(io::ErrorKind::Unsupported.into())
        }

        fn sync(&self) -> io::Result<()> {
            self.0.fetch_add(1, Ordering::Relaxed);
            Ok(())
        }
    }

    #[test]
    fn much_is_given_in_parts_whether_it_is_put_or_taken_out() {
        const KEYS: usize = 2_000;
        let folder = tempfile::tempdir().unwrap();
        let config = sled::Config::new().path(folder.path()).flush_every_ms(None).segment_size(8 << 20);
        let db = open_when_let_go(&config).unwrap();
        let counted = Arc::new(Counted::default());
        let let_go = LetGo(File::open(folder.path().join("db")).unwrap());
        let files = Files { db, data: counted.clone(), let_go };
        let syncs_of = |value: Option<Vec<u8>>, keys: usize| {
            let mut fresh = Fresh::default();
            fresh.take((0..keys).map(|key| (format!("{key:06}").into_bytes(), value.clone())).collect());
            settle(&files, &fresh, Mark::first(1)).unwrap();
            counted.0.swap(0, Ordering::Relaxed)
        };
        let bytes = KEYS * 3_006;
        assert_eq!(syncs_of(Some(vec![1; 3_000]), KEYS), bytes / PART_BYTES + 1);
        // It moves together what is left, so many keys at once would make it write more than a part of its file.
        assert!(syncs_of(None, KEYS) > KEYS * REMOVED_BYTES / PART_BYTES);
        assert!(files.db.iter().all(|pair| pair.unwrap().0 == MARK));
        assert_eq!(syncs_of(None, KEYS), 1, "nothing is there that could be taken out");
    }
}
