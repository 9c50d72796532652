//! A store in a folder of this machine: sled, with a log in front of it.
//!
//! sled's own flush is no barrier: after a power cut it may have lost what it acknowledged, or not open at all; and it
//! costs two writes. So a commit goes into a [log](log), with one write and one sync, and stands in [memory](fresh)
//! from then on. When the log is full, sled gets all of it at once, [behind](behind) the next commits, followed by its
//! flush and a sync of its one data file; of what changed often meanwhile, it gets the last.
//!
//! Nothing is written to sled between syncs (`flush_every_ms(None)`), and values are short (no blob files). Other files
//! and the folder change only while sled opens, and are synced then.
//!
//! A store that is compacted gets new files, with a data file of [pages] that are written once. A closed one takes no more
//! of the disk than it needs to be opened again.

mod behind;
mod compact;
mod form;
mod fresh;
mod guard;
mod log;
mod pages;
#[cfg(test)]
mod power_cut;
mod replace;
mod snapshots;
mod space;

use std::fs::{self, File, TryLockError};
use std::io;
use std::ops::Range;
use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::time::{Duration, Instant};

use bytes::Bytes;

use uuid::Uuid;

use self::behind::Behind;
use self::fresh::{Fresh, Pairs};
use self::log::{Log, Mark};
use self::space::Space;
use super::copy::InFolder;
use super::disk::{Disk, DiskFile, OsDisk};
use super::engine::KvProvider;
use super::folder::{Folder, sync_folder};
use super::recover::{recover, refused};
use super::store::{Batch, Opener, Order, OrderedStore, Pair, StoreError};
use crate::clock::{Clock, SystemClock};
use crate::providers::{Capabilities, Durability, OpenError};

/// How much sled writes before it goes on in another part of its file, which may be one that held what was moved since.
/// sled frees a part once the one that holds what was moved is full and written, and the next one begun; but only our
/// sync puts it on the disk. So a power cut could lose what was moved and keep what was written over it, if more than a
/// whole part was written between two syncs: with parts of 64 KiB the test of power cuts finds that at once. We give it
/// about 1 MiB between two syncs, of which it makes at most four times as much.
const SEGMENT_BYTES: usize = 8 << 20;
/// How much a file of the log holds before sled gets it. The more that is, the more comes and goes without sled; and the
/// more can come at once before commits wait for sled, which takes longer for a MiB than the log. But all of it is
/// given to sled when a store that was not closed is opened again, and as much is kept in memory.
const LOG_BYTES: u64 = 4 << 20;
/// Where the mark of the log stands: behind all other keys.
const MARK: &[u8] = &[0xff];
/// What sled calls its data file.
const DATA: &str = "db";
const CACHE_BYTES: u64 = 64 << 20;
/// How long sled may take to let go of its files after its handle was dropped.
const LET_GO: Duration = Duration::from_secs(5);
const LOOK_AGAIN: Duration = Duration::from_millis(1);

/// Says that keys are kept by sled.
#[derive(Debug)]
pub enum Sled {}

/// Keeps instances in a folder of this machine. One process at a time may use it.
///
/// When the disk is full, transactions fail with [`ErrorKind::Full`](crate::providers::ErrorKind::Full), except for those
/// that only take away; with space all goes on by itself. A file of 24 MiB, `reserve`, is kept for that while the store is
/// open, and about 16 MiB more are used that are given back when it is closed. sled writes over what was deleted, but seldom
/// gives it back to the disk: [`compact`](crate::providers::Maintain::compact) does, if there is space for a copy of what is
/// left; the store takes little more than that then.
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
        let capabilities = Capabilities::new("sled").persistent(self.durability).takes_turns();
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
        Ok(Box::new(SledFolder::new(folder, CACHE_BYTES).open()?))
    }
}

impl Opener for SledOpener {
    fn open(&self) -> Result<Box<dyn OrderedStore>, OpenError> {
        Ok(Box::new(SledFolder::new(&self.folder, self.cache_bytes).open()?))
    }
}

type OpenDisk = dyn Fn(PathBuf) -> Arc<dyn Disk> + Send + Sync;

/// Where the files are, and how they are opened.
#[derive(Clone)]
struct SledFolder {
    path: PathBuf,
    cache_bytes: u64,
    log_bytes: u64,
    /// What writes the log, and syncs it and sled's data file.
    disk: Arc<OpenDisk>,
}

impl SledFolder {
    fn new(folder: &Folder, cache_bytes: u64) -> Self {
        let disk = Arc::new(|path| Arc::new(OsDisk(path)) as Arc<dyn Disk>);
        Self { path: folder.path().to_owned(), cache_bytes, log_bytes: LOG_BYTES, disk }
    }

    fn open(&self) -> Result<SledStore, OpenError> {
        let unwritable = |source| OpenError::of_system(&self.path, source);
        replace::finish(&self.path).map_err(unwritable)?;
        // First: sled does not open on a disk that is full to the last byte.
        let space = Space::of(&self.path).map_err(unwritable)?;
        let mut store = self.open_at(self.path.join(replace::NAME))?;
        store.space = Some(space);
        Ok(store)
    }

    fn open_at(&self, path: PathBuf) -> Result<SledStore, OpenError> {
        let db = self.open_sled(&path).or_else(|error| self.open_without_snapshots(&path, error));
        let db = db.map_err(|error| self.open_error(error))?;
        let disk = (self.disk)(path.clone());
        let data_file = || {
            sync_all_files(&path)?;
            sync_folder(&self.path)?;
            Ok((LetGo(File::open(path.join(DATA))?), disk.open(DATA)?))
        };
        let (let_go, data) = data_file().map_err(|source| OpenError::of_system(&self.path, source))?;
        let files = Files { db, data, let_go };
        let refused = |error| match error {
            StoreError::Io(source) => OpenError::of_system(&self.path, source),
            other => OpenError::Corrupt { path: self.path.clone(), message: other.to_string() },
        };
        let (mut log, committed) = self.open_log(&files, &*disk).map_err(refused)?;
        let mut fresh = Fresh::default();
        committed.into_iter().for_each(|batch| fresh.take(batch));
        // Also if nothing is in it: what was never whole is not to be met again.
        let mark = log.next_mark();
        behind::settle(&files, &fresh, mark).map_err(refused)?;
        log.begin_anew(mark);
        Ok(SledStore {
            files: Some(Arc::new(files)),
            folder: self.clone(),
            log,
            fresh: Fresh::default(),
            behind: None,
            sound: AtomicBool::new(true),
            space: None,
        })
    }

    /// The log that belongs to these files, and what it holds; a new one if they never had one.
    fn open_log(&self, files: &Files, disk: &dyn Disk) -> Result<(Log, Vec<Batch>), StoreError> {
        match guard::call(|| files.db.get(MARK))? {
            Some(mark) => {
                let mark = Mark::decode(&mark).ok_or_else(|| StoreError::Damaged("the mark of the log".to_owned()))?;
                Log::open(disk, self.log_bytes, mark)
            }
            None => {
                let mark = Mark::first(Uuid::new_v4().as_fields().0);
                let log = Log::create(disk, self.log_bytes, mark)?;
                guard::call(|| files.db.insert(MARK, &mark.encode()))?;
                files.sync()?;
                Ok((log, Vec::new()))
            }
        }
    }

    fn open_sled(&self, path: &Path) -> sled::Result<sled::Db> {
        let config = sled::Config::new().path(path).cache_capacity(self.cache_bytes).flush_every_ms(None);
        open_when_let_go(&config.segment_size(SEGMENT_BYTES))
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

/// Opens files of sled that nobody else may use: if they are locked, whoever dropped them has not let go of them yet. sled's
/// own threads hold them a moment longer than its handle lives; so does a process that another thread is just starting,
/// which has a copy of all that is open until it becomes the new program.
fn open_when_let_go(config: &sled::Config) -> sled::Result<sled::Db> {
    let begin = Instant::now();
    loop {
        match guard::call(|| config.open()) {
            Err(error) if is_locked(&error) && begin.elapsed() < LET_GO => std::thread::sleep(LOOK_AGAIN),
            other => return other,
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
    data: Arc<dyn DiskFile>,
    let_go: LetGo,
}

impl Files {
    fn sync(&self) -> Result<(), StoreError> {
        guard::call(|| self.db.flush())?;
        Ok(self.data.sync()?)
    }

    /// Some keys, all or none; on disk when it returns.
    fn put(&self, part: sled::Batch) -> Result<(), StoreError> {
        guard::call(|| self.db.apply_batch(part))?;
        self.sync()
    }
}

struct SledStore {
    /// `None` while they are replaced.
    files: Option<Arc<Files>>,
    folder: SledFolder,
    log: Log,
    /// What is in the log.
    fresh: Fresh,
    /// What was in it before.
    behind: Option<Behind>,
    /// Whether no call has failed: a handle that has is not written to again.
    sound: AtomicBool,
    /// `None` for a copy that is being made.
    space: Option<Space>,
}

impl SledStore {
    fn files(&self) -> Result<&Arc<Files>, StoreError> {
        self.files.as_ref().ok_or(StoreError::Away)
    }

    /// Begins to give sled what is in the log, and goes on in an empty one.
    fn turn(&mut self) -> Result<(), StoreError> {
        self.settle()?;
        self.look_for_space()?;
        // All of a commit is in the log before any of it is under its key.
        self.log.sync()?;
        let mark = self.log.next_mark();
        let fresh = std::mem::take(&mut self.fresh);
        self.behind = Some(Behind::begin(self.files()?, fresh, mark)?);
        self.log.begin_anew(mark);
        Ok(())
    }

    fn look_for_space(&mut self) -> Result<(), StoreError> {
        Ok(self.space.as_mut().map_or(Ok(()), Space::look)?)
    }

    /// Waits until sled has what it is being given.
    fn settle(&mut self) -> Result<(), StoreError> {
        self.behind.take().map_or(Ok(()), Behind::finish)
    }

    /// Gives sled all there is.
    fn settle_all(&mut self) -> Result<(), StoreError> {
        if !self.log.is_empty() {
            self.turn()?;
        }
        self.settle()
    }
}

impl Drop for SledStore {
    /// A store that was closed has an empty log, and takes no more of the disk than it needs to be opened again.
    fn drop(&mut self) {
        let is_there = *self.sound.get_mut() && self.files.is_some();
        let settled = if is_there { self.settle_all() } else { self.settle() };
        if let Err(error) = settled {
            tracing::warn!(%error, "what was committed last stays in the log until the store is opened again");
        } else if let Err(error) = self.give_back(is_there) {
            tracing::warn!(%error, "the store takes more of the disk than it has to while it is closed");
        }
    }
}

/// A handle of sled's data file.
struct LetGo(File);

impl LetGo {
    /// Waits until sled has let go: its threads hold the file, and its lock, a moment longer than its handle lives. Answers
    /// whether it has.
    fn wait(&self) -> bool {
        let begin = Instant::now();
        loop {
            match self.0.try_lock() {
                Err(TryLockError::WouldBlock) if begin.elapsed() < LET_GO => std::thread::sleep(LOOK_AGAIN),
                locked => return locked.is_ok(),
            }
        }
    }
}

impl Drop for LetGo {
    fn drop(&mut self) {
        let _waited = self.wait();
    }
}

impl OrderedStore for SledStore {
    fn get(&self, key: &[u8]) -> Result<Option<Bytes>, StoreError> {
        match self.fresh.get(key) {
            Some(fresh) => Ok(fresh),
            None if let Some(behind) = self.behind.as_ref().and_then(|behind| behind.fresh.get(key)) => Ok(behind),
            None => Ok(guard::call(|| self.files.as_ref().map_or(Ok(None), |files| files.db.get(key)))?
                .map(|value| Bytes::copy_from_slice(&value))),
        }
    }

    fn scan(&self, range: Range<&[u8]>, order: Order, limit: usize) -> Result<Vec<Pair>, StoreError> {
        let range = range.start..range.end.min(MARK);
        if range.is_empty() {
            return Ok(Vec::new());
        }
        let pairs = self.files()?.db.range(range.clone());
        let copy = |pair: sled::Result<(sled::IVec, sled::IVec)>| {
            let (key, value) = pair?;
            Ok((Bytes::copy_from_slice(&key), Bytes::copy_from_slice(&value)))
        };
        guard::call(|| {
            let mut pairs: Pairs<'_> = match order {
                Order::Ascending => Box::new(pairs.map(copy)),
                Order::Descending => Box::new(pairs.rev().map(copy)),
            };
            if let Some(behind) = &self.behind {
                pairs = behind.fresh.over(pairs, range.clone(), order);
            }
            self.fresh.over(pairs, range, order).take(limit).collect()
        })
    }

    fn apply(&mut self, batch: Batch) -> Result<(), StoreError> {
        *self.sound.get_mut() = false;
        self.files()?;
        if !self.log.has_room(&batch) {
            self.turn()?;
        } else if self.behind.as_ref().is_some_and(Behind::is_done) {
            self.settle()?;
        }
        let was_half_full = self.log.is_half_full();
        self.log.append(&batch)?;
        self.fresh.take(batch);
        if self.log.is_half_full() && !was_half_full {
            // While there is still time not to commit what sled would have no space for.
            self.look_for_space()?;
        }
        *self.sound.get_mut() = true;
        Ok(())
    }

    fn sync(&self) -> Result<(), StoreError> {
        self.sound.store(false, Ordering::Relaxed);
        self.log.sync()?;
        self.sound.store(true, Ordering::Relaxed);
        Ok(())
    }

    fn is_full(&self) -> bool {
        self.space.as_ref().is_some_and(|space| space.full)
    }

    fn is_stuck(&self) -> bool {
        self.space.as_ref().is_some_and(|space| space.none)
    }

    /// What sled had no space for is noticed as soon as there is some, before anything else is kept.
    fn make_room(&mut self) -> Result<(), StoreError> {
        *self.sound.get_mut() = false;
        self.look_for_space()?;
        if !self.is_full() && self.behind.as_ref().is_some_and(Behind::is_done) {
            self.settle()?;
        }
        *self.sound.get_mut() = true;
        Ok(())
    }

    fn compact(&mut self) -> Result<(), StoreError> {
        *self.sound.get_mut() = false;
        self.write_anew()?;
        *self.sound.get_mut() = true;
        Ok(())
    }
}

impl From<OpenError> for StoreError {
    fn from(error: OpenError) -> Self {
        match error {
            OpenError::Unwritable { source, .. } => Self::Io(source),
            other => Self::Other(other.to_string()),
        }
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
