//! Making the files of a store small: all of them, when it is compacted, and those that only a running store needs, when
//! it is closed.

use std::fs;
use std::path::Path;
use std::sync::Arc;

use super::super::copy;
use super::super::store::StoreError;
use super::fresh::Fresh;
use super::pages::Pages;
use super::space::Space;
use super::{DATA, Files, SledStore, form, replace};

impl SledStore {
    /// sled keeps what it has freed for what it will write, and never gives it back: so all keys are written into new
    /// files, which take the place of the old ones once sled has found in them all that is in those.
    pub(super) fn write_anew(&mut self) -> Result<(), StoreError> {
        self.settle_all()?;
        self.space.as_ref().map_or(Ok(()), Space::lend)?;
        let open = |path| self.folder.open_at(path).map_err(StoreError::from);
        let new = replace::begin(&self.folder.path)?;
        self.write_pages(&new)?;
        let copy = open(new)?;
        copy::compare(self, &copy)?;
        drop(copy);
        self.files = None;
        self.fresh = Fresh::default();
        replace::commit(&self.folder.path)?;
        let mut store = open(self.folder.path.join(replace::NAME))?;
        std::mem::swap(&mut self.files, &mut store.files);
        std::mem::swap(&mut self.log, &mut store.log);
        self.look_for_space()
    }

    /// Writes all keys into a data file in this folder, which is made.
    fn write_pages(&self, folder: &Path) -> Result<(), StoreError> {
        fs::create_dir(folder)?;
        let mut pages = Pages::new((self.folder.disk)(folder.to_owned()).create(DATA)?);
        copy::each(self, |pair| pages.push(pair))?;
        pages.finish()
    }

    /// Gives back what only a running store needs; not the space in its files, if it is not known whether sled has all
    /// there is. Nothing of that has to be on the disk: what is cut off counts as little as the zeros that take its place
    /// when the store is opened.
    pub(super) fn give_back(&mut self, is_settled: bool) -> Result<(), StoreError> {
        let Some(space) = &self.space else { return Ok(()) };
        space.lend()?;
        if let Some(Files { db, data, let_go }) = self.files.take().filter(|_| is_settled).and_then(Arc::into_inner) {
            drop(db);
            if let_go.wait() {
                form::cut(&*data)?;
                self.log.cut()?;
            }
        }
        Ok(())
    }
}

#[cfg(test)]
mod tests {
    use std::io;
    use std::path::PathBuf;
    use std::sync::Mutex;

    use tempfile::TempDir;

    use super::super::super::copy::compare;
    use super::super::super::disk::{Disk, DiskFile, OsDisk};
    use super::super::super::folder::Folder;
    use super::super::super::gate::locked;
    use super::super::super::memory::MemoryStore;
    use super::super::super::store::{Batch, OrderedStore};
    use super::super::{LOG_BYTES, SledFolder, log};
    use super::*;

    const VALUE_BYTES: usize = 500;

    fn key(number: usize) -> Vec<u8> {
        // Neither in order nor far from each other.
        format!("of somebody/{:05}", number * 7_919 % 10_007).into_bytes()
    }

    /// So many keys, written and changed; half of them taken out.
    fn batches(keys: usize) -> Vec<Batch> {
        let write = |number| (key(number), Some(vec![number as u8; VALUE_BYTES]));
        let first = (0..keys).map(|number| (key(number), Some(vec![1; 80]))).collect();
        vec![first, (0..keys).map(write).collect(), (0..keys).step_by(2).map(|number| (key(number), None)).collect()]
    }

    fn fill(stores: [&mut dyn OrderedStore; 2], keys: usize) {
        for store in stores {
            for part in batches(keys).iter().flat_map(|batch| batch.chunks(50)) {
                store.apply(part.to_vec()).unwrap();
            }
            store.sync().unwrap();
        }
    }

    fn size(path: &Path) -> u64 {
        match fs::read_dir(path) {
            Ok(entries) => entries.map(|entry| size(&entry.unwrap().path())).sum(),
            Err(_) => fs::metadata(path).unwrap().len(),
        }
    }

    #[test]
    fn a_compacted_store_takes_little_more_than_what_is_in_it() {
        const KEYS: usize = 8_000;
        let folder = tempfile::tempdir().unwrap();
        let taken = Folder::take(folder.path(), "sled").unwrap();
        let open = || SledFolder::new(&taken, 16 << 20).open().unwrap();
        let log_bytes = || log::NAMES.map(|name| size(&folder.path().join(replace::NAME).join(name)));
        let (mut model, mut store) = (MemoryStore::default(), open());
        fill([&mut model, &mut store], KEYS);
        drop(store);
        let left = size(folder.path());
        let mut store = open();
        store.compact().unwrap();
        compare(&model, &store).unwrap();
        assert_eq!(log_bytes(), [LOG_BYTES; 2], "commits need no more than their own blocks");
        drop(store);
        let (raw, compacted) = ((KEYS / 2 * VALUE_BYTES) as u64, size(folder.path()));
        assert!(compacted < raw * 12 / 10 + (512 << 10) && compacted < left, "{left}, then {compacted} for {raw}");
        let mut store = open();
        compare(&model, &store).unwrap();
        assert_eq!(log_bytes(), [LOG_BYTES; 2]);
        fill([&mut model, &mut store], 100);
        compare(&model, &store).unwrap();
        (0..KEYS).for_each(|number| store.apply(vec![(key(number), None)]).unwrap());
        store.compact().unwrap();
        drop(store);
        assert!(size(folder.path()) < 512 << 10, "{} for nothing", size(folder.path()));
        compare(&MemoryStore::default(), &open()).unwrap();
    }

    /// A disk that fails once, after so many calls.
    struct Failing {
        left: Mutex<usize>,
        folder: PathBuf,
        /// What the folder was then.
        image: TempDir,
    }

    impl Failing {
        fn call<T>(&self, call: impl FnOnce() -> io::Result<T>) -> io::Result<T> {
            let mut left = locked(&self.left);
            *left = left.wrapping_sub(1);
            if *left == 0 {
                copy_folder(&self.folder, self.image.path());
                return Err(io::Error::other("the disk fails"));
            }
            drop(left);
            call()
        }
    }

    fn copy_folder(from: &Path, to: &Path) {
        fs::create_dir_all(to).unwrap();
        for entry in fs::read_dir(from).unwrap() {
            let (from, to) = (entry.as_ref().unwrap().path(), to.join(entry.unwrap().file_name()));
            if from.is_dir() {
                copy_folder(&from, &to);
            } else if from.file_name().unwrap() != "lock" {
                fs::copy(from, to).unwrap();
            }
        }
    }

    struct Disks(Arc<Failing>, OsDisk);

    impl Disks {
        fn file(&self, file: Arc<dyn DiskFile>) -> Arc<dyn DiskFile> {
            Arc::new(FailingFile(self.0.clone(), file))
        }
    }

    impl Disk for Disks {
        fn list(&self) -> io::Result<Vec<String>> {
            self.0.call(|| self.1.list())
        }

        fn open(&self, name: &str) -> io::Result<Arc<dyn DiskFile>> {
            self.0.call(|| self.1.open(name)).map(|file| self.file(file))
        }

        fn create(&self, name: &str) -> io::Result<Arc<dyn DiskFile>> {
            self.0.call(|| self.1.create(name)).map(|file| self.file(file))
        }

        fn rename(&self, from: &str, to: &str) -> io::Result<()> {
            self.0.call(|| self.1.rename(from, to))
        }

        fn remove(&self, name: &str) -> io::Result<()> {
            self.0.call(|| self.1.remove(name))
        }

        fn sync_folder(&self) -> io::Result<()> {
            self.0.call(|| self.1.sync_folder())
        }
    }

    struct FailingFile(Arc<Failing>, Arc<dyn DiskFile>);

    impl DiskFile for FailingFile {
        fn size(&self) -> io::Result<u64> {
            self.1.size()
        }

        fn read_at(&self, offset: u64, into: &mut [u8]) -> io::Result<()> {
            self.0.call(|| self.1.read_at(offset, into))
        }

        fn write_at(&self, offset: u64, bytes: &[u8]) -> io::Result<()> {
            self.0.call(|| self.1.write_at(offset, bytes))
        }

        fn sync(&self) -> io::Result<()> {
            self.0.call(|| self.1.sync())
        }

        fn cut(&self, bytes: u64) -> io::Result<()> {
            self.0.call(|| self.1.cut(bytes))
        }
    }

    #[test]
    fn whenever_it_ends_all_is_there() {
        let mut failed = 0;
        loop {
            let folder = tempfile::tempdir().unwrap();
            let taken = Folder::take(folder.path(), "sled").unwrap();
            let calls = Failing {
                left: Mutex::new(usize::MAX),
                folder: folder.path().to_owned(),
                image: tempfile::tempdir().unwrap(),
            };
            let (calls, whole) =
                (Arc::new(calls), SledFolder { log_bytes: 64 << 10, ..SledFolder::new(&taken, 16 << 20) });
            let of_store = calls.clone();
            let disk = Arc::new(move |path| Arc::new(Disks(of_store.clone(), OsDisk(path))) as Arc<dyn Disk>);
            let mut model = MemoryStore::default();
            let mut store = SledFolder { disk, ..whole.clone() }.open().unwrap();
            fill([&mut model, &mut store], 300);
            store.settle_all().unwrap();
            *locked(&calls.left) = failed + 1;
            let has_failed = store.compact().is_err();
            if !has_failed {
                compare(&model, &store).unwrap();
            }
            *locked(&calls.left) = usize::MAX;
            drop(store);
            // The process went on, and it did not.
            compare(&model, &whole.open().unwrap()).unwrap();
            if !has_failed {
                break;
            }
            let image = Folder::take(calls.image.path(), "sled").unwrap();
            let image = SledFolder { log_bytes: 64 << 10, ..SledFolder::new(&image, 16 << 20) };
            compare(&model, &image.open().unwrap()).unwrap();
            failed += 1;
        }
        assert!(failed > 15, "only {failed} calls could fail");
    }
}
