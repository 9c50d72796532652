//! A store in a folder of this machine.
//!
//! sled's own flush is no barrier: after a power cut it may have lost what it acknowledged, or not open at all. So
//! nothing is written between syncs (`flush_every_ms(None)`), values are short (no blob files), and each sync is
//! sled's flush followed by `sync_data` on a second handle of its one data file. Other files and the folder change
//! only while sled opens, and are synced then.

mod ahead;
mod guard;
#[cfg(test)]
mod power_cut;
mod replace;
mod short;
mod snapshots;

use std::fs::{self, File, TryLockError};
use std::io;
use std::ops::Range;
use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::time::{Duration, Instant};

use bytes::Bytes;

use self::ahead::Ahead;
use self::short::{SLOTS, Short, Write};
use super::copy::{Copying, InFolder};
use super::engine::KvProvider;
use super::folder::{Folder, sync_folder};
use super::recover::{recover, refused};
use super::store::{Batch, Opener, Order, OrderedStore, Pair, StoreError};
use crate::clock::{Clock, SystemClock};
use crate::providers::{Capabilities, Durability, OpenError};

/// How much sled writes before it goes on in another part of its file, which may be one that held what was moved since.
/// sled frees a part once the one that holds what was moved is full and written, and the next one begun; but only our
/// sync puts it on the disk. So a power cut could lose what was moved and keep what was written over it, if more than a
/// whole part was written between two syncs: with parts of 64 KiB the test of power cuts finds that at once. A group has
/// about 1 MiB, of which sled makes at most four; so a part is larger than what any group makes sled write. A single
/// transaction of more than 2 MiB is not covered by this.
const SEGMENT_BYTES: usize = 8 << 20;
const CACHE_BYTES: u64 = 64 << 20;
/// How long sled may take to let go of its files after its handle was dropped.
const LET_GO: Duration = Duration::from_secs(5);
const LOOK_AGAIN: Duration = Duration::from_millis(1);

/// Says that keys are kept by sled.
#[derive(Debug)]
pub enum Sled {}

/// Keeps instances in a folder of this machine. One process at a time may use it.
///
/// ```
/// # async fn example() -> Result<(), durable_runtime::providers::OpenError> {
/// use durable_runtime::providers::SledProvider;
///
/// let store = SledProvider::open("orders.db")?;
/// # Ok(()) }
/// ```
pub type SledProvider = KvProvider<Sled>;

impl KvProvider<Sled> {
    /// Opens the store in this folder, and makes it if it is not there.
    ///
    /// # Errors
    /// [`OpenError`], which says who holds the folder, or what is wrong with it.
    pub fn open(path: impl AsRef<Path>) -> Result<Self, OpenError> {
        Self::options().open(path)
    }

    /// What can be chosen when a store is opened.
    pub fn options() -> SledOptions {
        SledOptions { durability: Durability::Immediate, cache_bytes: CACHE_BYTES, clock: Arc::new(SystemClock) }
    }
}

/// How a store is opened.
#[must_use = "nothing is opened before `open`"]
#[derive(Clone)]
pub struct SledOptions {
    durability: Durability,
    cache_bytes: u64,
    clock: Arc<dyn Clock>,
}

impl SledOptions {
    /// When a transaction counts as kept; [`Durability::Immediate`] unless said otherwise.
    pub const fn durability(mut self, durability: Durability) -> Self {
        self.durability = durability;
        self
    }

    /// How much sled keeps in memory; 64 MiB unless said otherwise. It may take somewhat more.
    pub const fn cache_bytes(mut self, bytes: u64) -> Self {
        self.cache_bytes = bytes;
        self
    }

    /// The clock that decides what is due; that of the machine unless said otherwise.
    pub fn clock(mut self, clock: impl Clock) -> Self {
        self.clock = Arc::new(clock);
        self
    }

    /// Opens the store in this folder, and makes it if it is not there.
    ///
    /// # Errors
    /// As [`SledProvider::open`](KvProvider::open).
    pub fn open(self, path: impl AsRef<Path>) -> Result<SledProvider, OpenError> {
        let path = path.as_ref();
        let opener = SledOpener { folder: Folder::take(path, "sled")?, cache_bytes: self.cache_bytes };
        let mut store = opener.open()?;
        let recovered = recover(&mut *store).map_err(|error| refused(path, &error, ""))?;
        let capabilities = Capabilities::new("sled").persistent(self.durability);
        KvProvider::start(Box::new(opener), (store, recovered), self.clock, capabilities)
            .map_err(|source| OpenError::of_system(path, source))
    }
}

impl std::fmt::Debug for SledOptions {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        let Self { durability, cache_bytes, .. } = self;
        f.debug_struct("SledOptions")
            .field("durability", durability)
            .field("cache_bytes", cache_bytes)
            .finish_non_exhaustive()
    }
}

struct SledOpener {
    folder: Folder,
    cache_bytes: u64,
}

impl InFolder for Sled {
    const KIND: &'static str = "sled";

    #[expect(private_interfaces, reason = "nobody outside can name this trait")]
    fn open_keys(folder: &Folder) -> Result<Box<dyn OrderedStore>, OpenError> {
        Ok(Box::new(SledFolder { path: folder.path().to_owned(), cache_bytes: CACHE_BYTES }.open()?))
    }
}

impl Opener for SledOpener {
    fn open(&self) -> Result<Box<dyn OrderedStore>, OpenError> {
        let folder = SledFolder { path: self.folder.path().to_owned(), cache_bytes: self.cache_bytes };
        Ok(Box::new(folder.open()?))
    }
}

/// Where the files are, and how they are opened.
#[derive(Debug, Clone)]
struct SledFolder {
    path: PathBuf,
    cache_bytes: u64,
}

impl SledFolder {
    fn open(&self) -> Result<SledStore, OpenError> {
        let unwritable = |source| OpenError::of_system(&self.path, source);
        replace::finish(&self.path).map_err(unwritable)?;
        self.open_at(self.path.join(replace::NAME))
    }

    fn open_at(&self, path: PathBuf) -> Result<SledStore, OpenError> {
        let db = self.open_sled(&path).or_else(|error| self.open_without_snapshots(&path, error));
        let db = db.map_err(|error| self.open_error(error))?;
        let data_file = || {
            sync_all_files(&path)?;
            sync_folder(&self.path)?;
            // Writable, since only such a handle can be synced on every system.
            File::options().read(true).write(true).open(path.join("db"))
        };
        let folder = || self.path.clone();
        let file = data_file().map_err(|source| OpenError::of_system(&self.path, source))?;
        let short = guard::call(|| Short::read(db.range([SLOTS]..)))
            .map_err(|error| OpenError::Corrupt { path: folder(), message: error.to_string() })?;
        let files = Files { db, file: DataFile(file) };
        Ok(SledStore {
            files: Some(files),
            short,
            ahead: Ahead::new(),
            sound: AtomicBool::new(true),
            folder: self.clone(),
        })
    }

    fn open_sled(&self, path: &Path) -> sled::Result<sled::Db> {
        let config = sled::Config::new().path(path).cache_capacity(self.cache_bytes).flush_every_ms(None);
        let config = config.segment_size(SEGMENT_BYTES);
        let begin = Instant::now();
        loop {
            match guard::call(|| config.open()) {
                // We hold the folder, so this is what a store that was killed or dropped has not let go of yet.
                Err(error) if is_locked(&error) && begin.elapsed() < LET_GO => std::thread::sleep(LOOK_AGAIN),
                other => return other,
            }
        }
    }

    /// Snapshots only make opening faster; all they say stands in the data file too. So when sled does not open because
    /// one is damaged, it is put aside and tried once more. A whole one must stay: it is what tells that something is
    /// missing in the data file.
    fn open_without_snapshots(&self, path: &Path, error: sled::Error) -> sled::Result<sled::Db> {
        if matches!(error, sled::Error::Io(_) | sled::Error::Unsupported(_)) || !snapshots::put_damaged_aside(path)? {
            return Err(error);
        }
        tracing::warn!(path = %path.display(), %error, "a snapshot is damaged; the store is opened without it");
        self.open_sled(path)
    }

    fn open_error(&self, error: sled::Error) -> OpenError {
        let path = self.path.clone();
        match error {
            sled::Error::Io(source) => OpenError::of_system(&path, source),
            sled::Error::Unsupported(message) => OpenError::OtherSettings { path, message },
            other => OpenError::Corrupt { path, message: other.to_string() },
        }
    }
}

fn is_locked(error: &sled::Error) -> bool {
    matches!(error, sled::Error::Io(error) if error.to_string().contains("could not acquire lock"))
}

/// sled writes a snapshot and its settings while it opens, and removes older ones.
fn sync_all_files(path: &Path) -> io::Result<()> {
    for entry in fs::read_dir(path)? {
        let entry = entry?;
        if entry.file_type()?.is_file() {
            File::options().write(true).open(entry.path())?.sync_all()?;
        } else {
            sync_folder(&entry.path())?;
        }
    }
    sync_folder(path)
}

/// sled's handle, and one of our own.
struct Files {
    // Dropped first.
    db: sled::Db,
    file: DataFile,
}

struct SledStore {
    /// `None` while they are replaced.
    files: Option<Files>,
    folder: SledFolder,
    short: Short,
    ahead: Ahead,
    /// Whether no call has failed: a handle that has is not written to again.
    sound: AtomicBool,
}

impl SledStore {
    fn files(&self) -> Result<&Files, StoreError> {
        self.files.as_ref().ok_or(StoreError::Away)
    }

    fn write(&mut self, write: Write) -> Result<(), StoreError> {
        let db = &self.files()?.db;
        let written = guard::call(|| match write {
            Write::One(key, value) => db.insert(key, value).map(drop),
            Write::Many(batch) => db.apply_batch(batch),
        });
        written.map_err(StoreError::from)
    }
}

impl Drop for SledStore {
    /// Puts short commits under their keys, so that a store that was closed has nothing but keys.
    fn drop(&mut self) {
        if *self.sound.get_mut() && !self.short.is_empty() {
            let settled = self.short.settle();
            if let Err(error) = self.write(Write::Many(settled)).and_then(|()| self.sync()) {
                tracing::warn!(%error, "short commits stay in their slots until the store is opened again");
            }
        }
    }
}

/// A second handle of sled's data file, which can be synced.
struct DataFile(File);

impl Drop for DataFile {
    /// Waits until sled has let go: its threads hold the file, and its lock, a moment longer than its handle lives.
    fn drop(&mut self) {
        let begin = Instant::now();
        while matches!(self.0.try_lock(), Err(TryLockError::WouldBlock)) && begin.elapsed() < LET_GO {
            std::thread::sleep(LOOK_AGAIN);
        }
    }
}

impl OrderedStore for SledStore {
    fn get(&self, key: &[u8]) -> Result<Option<Bytes>, StoreError> {
        match self.short.get(key) {
            Some(fresh) => Ok(fresh),
            None => Ok(guard::call(|| self.files.as_ref().map_or(Ok(None), |files| files.db.get(key)))?
                .map(|value| Bytes::copy_from_slice(&value))),
        }
    }

    fn scan(&self, range: Range<&[u8]>, order: Order, limit: usize) -> Result<Vec<Pair>, StoreError> {
        let range = range.start..range.end.min(&[SLOTS]);
        if range.is_empty() {
            return Ok(Vec::new());
        }
        let pairs = self.files()?.db.range(range.clone());
        let copy = |pair: sled::Result<(sled::IVec, sled::IVec)>| {
            let (key, value) = pair?;
            Ok((Bytes::copy_from_slice(&key), Bytes::copy_from_slice(&value)))
        };
        guard::call(|| match order {
            Order::Ascending => self.short.scan(range, (order, limit), pairs.map(copy)),
            Order::Descending => self.short.scan(range, (order, limit), pairs.rev().map(copy)),
        })
    }

    fn apply(&mut self, batch: Batch) -> Result<(), StoreError> {
        *self.sound.get_mut() = false;
        let file = &self.files.as_ref().ok_or(StoreError::Away)?.file;
        self.ahead.prepare(&file.0)?;
        let write = self.short.write(batch);
        self.write(write)?;
        *self.sound.get_mut() = true;
        Ok(())
    }

    fn sync(&self) -> Result<(), StoreError> {
        self.sound.store(false, Ordering::Relaxed);
        let Files { db, file } = self.files()?;
        guard::call(|| db.flush())?;
        file.0.sync_data()?;
        self.ahead.all_is_written();
        self.sound.store(true, Ordering::Relaxed);
        Ok(())
    }

    /// sled keeps what it has freed for what it will write, and never gives it back: so all keys are written into new
    /// files, which take the place of the old ones.
    fn compact(&mut self) -> Result<(), StoreError> {
        *self.sound.get_mut() = false;
        let open = |path| self.folder.open_at(path).map_err(|error| StoreError::Other(error.to_string()));
        let new = replace::begin(&self.folder.path)?;
        let mut copy = open(new)?;
        Copying::new(&mut copy).all(self)?;
        drop(copy);
        self.files = None;
        self.short = Short::default();
        replace::commit(&self.folder.path)?;
        let mut store = open(self.folder.path.join(replace::NAME))?;
        std::mem::swap(&mut self.files, &mut store.files);
        std::mem::swap(&mut self.short, &mut store.short);
        self.ahead = Ahead::new();
        *self.sound.get_mut() = true;
        Ok(())
    }
}

impl From<sled::Error> for StoreError {
    fn from(error: sled::Error) -> Self {
        match error {
            sled::Error::Io(error) => Self::Io(error),
            sled::Error::Corruption { .. } => Self::Damaged(error.to_string()),
            other => Self::Other(other.to_string()),
        }
    }
}
