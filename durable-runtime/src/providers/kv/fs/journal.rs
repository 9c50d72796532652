//! The ordered store: keys in memory, values in the journal.
//!
//! One batch is one frame, one write, and one `fdatasync`. Everything else (the next segment, snapshots, cleaning) is
//! done in small steps beside it; see `upkeep`.

use std::ops::Range;
use std::sync::atomic::{AtomicBool, AtomicU64, Ordering};
use std::sync::{Arc, Mutex, PoisonError, RwLock, RwLockReadGuard, RwLockWriteGuard};

use bytes::Bytes;

use super::super::gate::locked;
use super::super::store::{Batch, Order, OrderedStore, Pair, StoreError};
use super::disk::Disk;
use super::fault::Fault;
use super::frame::{self, Head};
use super::histories::Histories;
use super::manifest::{Manifest, ManifestFile, Position};
use super::replay::{self, Replayed, replay};
use super::segment::{self, FIRST_FRAME, Segment, SegmentHead};
use super::shelf::Shelf;
use super::snapshot;
use super::spares::Spares;
use super::upkeep::Upkeep;

/// The first segments of a store are small, so that a small store is.
const FIRST_SEGMENT_BYTES: u32 = 1 << 20;

/// How a journal is kept.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) struct Settings {
    /// How large segments grow.
    pub(super) segment_bytes: u32,
    /// How much of the journal may have to be read when it is opened, unless its keys alone are more.
    pub(super) snapshot_after: u64,
}

/// See the module.
pub(super) struct Journal {
    pub(super) disk: Arc<dyn Disk>,
    pub(super) settings: Settings,
    pub(super) salt: u32,
    pub(super) shelf: Arc<RwLock<Shelf>>,
    pub(super) manifest: Mutex<(ManifestFile, Manifest)>,
    /// Where the next frame goes.
    pub(super) at: Position,
    active: Segment,
    /// The last frame that is on disk.
    durable: AtomicU64,
    /// The last frame.
    written: AtomicU64,
    failed: AtomicBool,
    pub(super) spares: Mutex<Spares>,
    pub(super) upkeep: Upkeep,
    histories: Option<Histories>,
}

/// Locks for reading, also after a panic of another thread.
pub(super) fn reading(shelf: &RwLock<Shelf>) -> RwLockReadGuard<'_, Shelf> {
    shelf.read().unwrap_or_else(PoisonError::into_inner)
}

pub(super) fn writing(shelf: &RwLock<Shelf>) -> RwLockWriteGuard<'_, Shelf> {
    shelf.write().unwrap_or_else(PoisonError::into_inner)
}

impl Journal {
    /// Opens the journal in this folder, and makes it if there is none; `name` is the name of a store that is made.
    pub(super) fn open(disk: Arc<dyn Disk>, settings: Settings, name: [u8; 16]) -> Result<Self, Fault> {
        let names = disk.list()?;
        let (file, manifest) = match ManifestFile::open(&*disk)? {
            Some(found) => found,
            None => create(&*disk, &names, name)?,
        };
        if manifest.reached == 0 {
            // Nobody was told of anything yet, so whatever was being made can be made again.
            create_first_segment(&*disk, &settings, &manifest)?;
        }
        let Replayed { shelf, at, replayed_bytes, snapshot_bytes } = replay(&*disk, &manifest)?;
        let names = disk.list()?;
        let spares = Spares::open(&*disk, &names)?;
        put_away(&*disk, &names, &manifest, &shelf)?;
        let active = shelf.segments.get(&at.segment).cloned();
        let active = active.ok_or_else(|| Fault::damaged(segment::name(at.segment), 0, "the file is missing"))?;
        let last = at.sequence - 1;
        let mut journal = Self {
            salt: manifest.salt(),
            shelf: Arc::new(RwLock::new(shelf)),
            manifest: Mutex::new((file, manifest)),
            at,
            active,
            durable: AtomicU64::new(last),
            written: AtomicU64::new(last),
            failed: AtomicBool::new(false),
            spares: Mutex::new(spares),
            upkeep: Upkeep::new(replayed_bytes, snapshot_bytes),
            histories: None,
            disk,
            settings,
        };
        journal.keep_reserve();
        journal.catch_up().map_err(Fault::from)?;
        Ok(journal)
    }

    /// Keeps files beside the journal that a person can read.
    pub(super) fn with_histories(mut self, begin: impl FnOnce(Arc<RwLock<Shelf>>) -> Option<Histories>) -> Self {
        self.histories = begin(self.shelf.clone());
        self
    }

    /// Makes this handle worth nothing if the work fails.
    fn or_fail<T>(&self, work: Result<T, StoreError>) -> Result<T, StoreError> {
        if work.is_err() {
            self.failed.store(true, Ordering::SeqCst);
        }
        work
    }

    fn check(&self) -> Result<(), StoreError> {
        match self.failed.load(Ordering::SeqCst) {
            true => Err(StoreError::Other("the journal has failed before".to_owned())),
            false => Ok(()),
        }
    }

    /// How much of the active segment is free.
    pub(super) fn room(&self) -> u32 {
        self.active.bytes.saturating_sub(self.at.offset)
    }

    /// Whether everything that was written is on disk.
    pub(super) fn is_synced(&self) -> bool {
        self.durable.load(Ordering::SeqCst) == self.written.load(Ordering::SeqCst)
    }

    /// Writes a frame, in the next segment if this one has no room for it.
    pub(super) fn append(&mut self, batch: &Batch) -> Result<(), StoreError> {
        let bytes = u32::try_from(frame::bytes_of(batch)).ok().filter(|bytes| *bytes < u32::MAX - FIRST_FRAME);
        let bytes = bytes.ok_or_else(|| StoreError::Other("a group of transactions has more than 4 GiB".to_owned()))?;
        if bytes > self.room() {
            self.rotate(bytes + FIRST_FRAME)?;
        }
        let (at, durable) = (self.at, self.durable.load(Ordering::SeqCst));
        let frame = frame::encode(Head { segment: at.segment, sequence: at.sequence, durable }, self.salt, batch);
        self.active.file.write_at(at.offset.into(), &frame)?;
        replay::take(frame::body(&frame), at, &mut writing(&self.shelf).places)?;
        self.at = Position { offset: at.offset + bytes, sequence: at.sequence + 1, ..at };
        self.written.store(at.sequence, Ordering::SeqCst);
        self.upkeep.written(bytes);
        Ok(())
    }

    /// Goes on in a new segment, which has room for at least so much.
    pub(super) fn rotate(&mut self, need: u32) -> Result<(), StoreError> {
        self.flush()?;
        let bytes = need.max(self.next_segment_bytes());
        let spare = locked(&self.spares).take(&*self.disk, need, bytes)?;
        let at = Position { segment: self.at.segment + 1, offset: FIRST_FRAME, ..self.at };
        begin_segment(&*self.disk, &spare.name, &spare.segment, at, locked(&self.manifest).1.store)?;
        self.write_manifest(|manifest| manifest.active = at.segment)?;
        writing(&self.shelf).segments.insert(at.segment, spare.segment.clone());
        (self.at, self.active) = (at, spare.segment);
        self.keep_reserve();
        self.retire()
    }

    /// How large the next segment is to be: a store that is small has small ones.
    pub(super) fn next_segment_bytes(&self) -> u32 {
        let most = self.settings.segment_bytes;
        let all = u32::try_from(reading(&self.shelf).bytes()).unwrap_or(u32::MAX);
        all.clamp(FIRST_SEGMENT_BYTES.min(most), most)
    }

    /// Changes the manifest; all that was written must be on disk.
    pub(super) fn write_manifest(&self, change: impl FnOnce(&mut Manifest)) -> Result<(), StoreError> {
        let mut manifest = locked(&self.manifest);
        let (file, manifest) = &mut *manifest;
        let mut changed = *manifest;
        change(&mut changed);
        changed.reached = self.durable.load(Ordering::SeqCst);
        file.write(&mut changed)?;
        *manifest = changed;
        Ok(())
    }

    pub(super) fn flush(&self) -> Result<(), StoreError> {
        let written = self.written.load(Ordering::SeqCst);
        if self.durable.load(Ordering::SeqCst) == written {
            return Ok(());
        }
        self.active.file.sync()?;
        self.durable.store(written, Ordering::SeqCst);
        if locked(&self.manifest).1.reached == 0 {
            // From now on somebody was told of something.
            self.write_manifest(|_| ())?;
        }
        Ok(())
    }

    /// Closes in order: from now on the manifest knows the last frame.
    fn close(&self) -> Result<(), StoreError> {
        self.check()?;
        self.flush()?;
        if locked(&self.manifest).1.reached < self.durable.load(Ordering::SeqCst) {
            self.write_manifest(|_| ())?;
        }
        Ok(())
    }
}

impl OrderedStore for Journal {
    fn get(&self, key: &[u8]) -> Result<Option<Bytes>, StoreError> {
        reading(&self.shelf).get(key)
    }

    fn scan(&self, range: Range<&[u8]>, order: Order, limit: usize) -> Result<Vec<Pair>, StoreError> {
        reading(&self.shelf).scan(range, order, limit)
    }

    fn apply(&mut self, batch: Batch) -> Result<(), StoreError> {
        self.check()?;
        let applied = self.keep_up(batch);
        let batch = self.or_fail(applied)?;
        if let Some(histories) = &self.histories {
            histories.note(&batch);
        }
        Ok(())
    }

    fn sync(&self) -> Result<(), StoreError> {
        self.check()?;
        let flushed = self.flush();
        self.or_fail(flushed)?;
        if let Some(histories) = &self.histories {
            histories.begin_writing();
        }
        Ok(())
    }

    fn is_full(&self) -> bool {
        self.is_short_of_space()
    }

    fn make_room(&mut self) -> Result<(), StoreError> {
        self.check()?;
        let made = self.free_what_can_be_freed();
        self.or_fail(made)?;
        // Histories of deleted instances may be on their way out; the space they take is space for the journal.
        let Some(histories) = self.histories.as_ref().filter(|_| self.is_short_of_space()) else { return Ok(()) };
        histories.settle();
        let made = self.free_what_can_be_freed();
        self.or_fail(made)
    }

    fn compact(&mut self) -> Result<(), StoreError> {
        self.check()?;
        let compacted = self.compact_all();
        self.or_fail(compacted)
    }
}

impl Drop for Journal {
    fn drop(&mut self) {
        if let Err(error) = self.close() {
            tracing::warn!(%error, "the journal was not closed in order");
        }
    }
}

fn create(disk: &dyn Disk, names: &[String], store: [u8; 16]) -> Result<(ManifestFile, Manifest), Fault> {
    if names.iter().any(|name| segment::number(name).is_some() || name.starts_with("snapshot-")) {
        return Err(Fault::damaged("manifest", 0, "the file is missing"));
    }
    let manifest = Manifest::new(store, Position { segment: 1, offset: FIRST_FRAME, sequence: 1 });
    Ok((ManifestFile::create(disk, &manifest)?, manifest))
}

fn create_first_segment(disk: &dyn Disk, settings: &Settings, manifest: &Manifest) -> Result<(), Fault> {
    let at = manifest.replay_from;
    if let Ok(segment) = Segment::open(disk, &segment::name(at.segment)) {
        let mut head = vec![0; FIRST_FRAME as usize];
        if segment.file.read_at(0, &mut head).is_ok() && SegmentHead::decode(&head).is_some() {
            return Ok(());
        }
    }
    let mut spares = Spares::default();
    let bytes = FIRST_SEGMENT_BYTES.min(settings.segment_bytes);
    let spare = spares.take(disk, bytes, bytes)?;
    Ok(begin_segment(disk, &spare.name, &spare.segment, at, manifest.store)?)
}

fn begin_segment(disk: &dyn Disk, name: &str, spare: &Segment, at: Position, store: [u8; 16]) -> std::io::Result<()> {
    spare.file.write_at(0, &SegmentHead { number: at.segment, first: at.sequence, store }.encode())?;
    spare.file.sync()?;
    disk.rename(name, &segment::name(at.segment))?;
    disk.sync_folder()
}

/// Removes what belongs to nothing any more.
fn put_away(disk: &dyn Disk, names: &[String], manifest: &Manifest, shelf: &Shelf) -> std::io::Result<()> {
    let snapshot = snapshot::name(manifest.snapshot);
    let is_left_over = |name: &&String| match segment::number(name) {
        Some(number) => !shelf.segments.contains_key(&number),
        None => (snapshot::is_snapshot(name) && **name != snapshot) || name.as_str() == "manifest.new",
    };
    names.iter().filter(is_left_over).try_for_each(|name| disk.remove(name))
}
