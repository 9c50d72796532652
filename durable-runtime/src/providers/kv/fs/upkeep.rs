//! What keeps a journal short: snapshots, and the cleaning of segments of which little is in use. Both go in small steps,
//! one with each commit, so that no commit waits long.

use std::collections::BTreeSet;
use std::io;

use super::super::gate::locked;
use super::super::store::{Batch, StoreError};
use super::frame;
use super::journal::{Journal, reading, writing};
use super::segment::{self, FIRST_FRAME, Spare};
use super::snapshot::{self, Writer};

/// At least so much is looked at, filled or moved in one step.
const STEP_BYTES: u32 = 64 << 10;
/// What is not in use may take as much as what is, and this many segments more.
const SPARE_SEGMENTS: u64 = 4;
/// With a full disk a snapshot is worth it as soon as so much is behind the last one, or as much as that has.
const SNAPSHOT_AFTER_WHEN_FULL: u64 = 4 << 10;

/// See the module.
pub(super) struct Upkeep {
    writer: Option<Writer>,
    snapshot_bytes: u64,
    /// How much was written since the last snapshot was begun, and how much of that before the one that is being written.
    since_snapshot: u64,
    before_writer: u64,
    cleaning: Option<Cleaning>,
    /// Segments that could not be read whole, and stay.
    spoiled: BTreeSet<u32>,
}

/// A segment whose values in use are being written once more, and how far that is.
#[derive(Debug, Clone, Copy)]
struct Cleaning {
    segment: u32,
    offset: u32,
}

impl Upkeep {
    /// Of a journal of which so much was read that is not in a snapshot of so many bytes.
    pub(super) fn new(since_snapshot: u64, snapshot_bytes: u64) -> Self {
        Self {
            writer: None,
            snapshot_bytes,
            since_snapshot,
            before_writer: 0,
            cleaning: None,
            spoiled: BTreeSet::new(),
        }
    }

    pub(super) fn written(&mut self, bytes: u32) {
        self.since_snapshot += u64::from(bytes);
    }
}

impl Journal {
    /// Writes a batch, and a little of everything else that is to be done.
    pub(super) fn keep_up(&mut self, batch: Batch) -> Result<Batch, StoreError> {
        let bytes = u32::try_from(frame::bytes_of(&batch)).unwrap_or(u32::MAX);
        let step = bytes.saturating_mul(2).max(STEP_BYTES);
        if locked(&self.spares).low && self.is_synced() {
            self.retire()?;
        }
        let mut moved = self.clean(step)?;
        if moved.is_empty() {
            self.append(&batch)?;
        } else {
            let own = moved.len();
            // Last, so that a key that is in both ends as the batch says.
            moved.extend(batch);
            self.append(&moved)?;
            moved.drain(..own);
            return self.after(moved, step);
        }
        self.after(batch, step)
    }

    fn after(&mut self, batch: Batch, step: u32) -> Result<Batch, StoreError> {
        self.fill_spare(step)?;
        self.snapshot_step()?;
        Ok(batch)
    }

    fn fill_spare(&self, step: u32) -> io::Result<()> {
        // Begun when half of the active one is used: a store that is not written to needs no second.
        if self.at.offset < self.room() {
            return Ok(());
        }
        let bytes = self.next_segment_bytes();
        locked(&self.spares).grow(&*self.disk, bytes, step)
    }

    /// Only what takes away may be written now.
    pub(super) fn is_short_of_space(&self) -> bool {
        let mut spares = locked(&self.spares);
        // Half a segment is for what takes away.
        let half = self.next_segment_bytes() / 2;
        spares.low && spares.is_low(&*self.disk, 2 * half) && (!spares.has_reserve() || self.room() < half)
    }

    /// So much space is kept back that a snapshot can be written when there is no other: without one nothing is freed.
    pub(super) fn keep_reserve(&self) {
        let (bytes, keys) = reading(&self.shelf).places.keys();
        let bytes = snapshot::bytes_max(bytes, keys).max(u64::from(self.next_segment_bytes() / 4));
        locked(&self.spares).reserve(&*self.disk, bytes);
    }

    // Snapshots

    fn snapshot_step(&mut self) -> Result<(), StoreError> {
        if self.upkeep.writer.is_none() {
            let low = locked(&self.spares).low;
            let last = self.upkeep.snapshot_bytes;
            let after = if low {
                SNAPSHOT_AFTER_WHEN_FULL.max(last.min(u64::from(self.room() / 2)))
            } else {
                self.snapshot_due()
            };
            if self.upkeep.since_snapshot < after {
                return Ok(());
            }
        }
        match self.try_snapshot_step() {
            Err(StoreError::Io(error)) if error.kind() == io::ErrorKind::StorageFull => {
                self.upkeep.writer = None;
                Writer::abandon(&*self.disk);
                if locked(&self.spares).release(&*self.disk)? {
                    return self.snapshot_step();
                }
                tracing::warn!("there is no space for a snapshot; it is tried again later");
                Ok(())
            }
            other => other,
        }
    }

    fn snapshot_due(&self) -> u64 {
        self.settings.snapshot_after.max(2 * self.upkeep.snapshot_bytes)
    }

    /// Writes a snapshot that is long due, as it may be in a store that is opened often and never for long.
    pub(super) fn catch_up(&mut self) -> Result<(), StoreError> {
        while self.upkeep.since_snapshot >= 2 * self.snapshot_due() {
            let before = self.upkeep.since_snapshot;
            self.snapshot_step()?;
            if self.upkeep.writer.is_none() && self.upkeep.since_snapshot == before {
                break;
            }
        }
        Ok(())
    }

    fn try_snapshot_step(&mut self) -> Result<(), StoreError> {
        let mut writer = match self.upkeep.writer.take() {
            Some(writer) => writer,
            None => {
                let manifest = locked(&self.manifest).1;
                self.upkeep.before_writer = self.upkeep.since_snapshot;
                Writer::begin(&*self.disk, &manifest, self.at)?
            }
        };
        let step = writer.step(&reading(&self.shelf).places)?;
        match step {
            Some(bytes) => self.publish(&writer, bytes),
            None => {
                self.upkeep.writer = Some(writer);
                Ok(())
            }
        }
    }

    /// From now on the journal is read from this snapshot on.
    fn publish(&mut self, writer: &Writer, bytes: u64) -> Result<(), StoreError> {
        // It may name places of frames that are not on disk yet.
        self.flush()?;
        writer.finish(&*self.disk)?;
        let before = locked(&self.manifest).1.snapshot;
        self.write_manifest(|manifest| {
            (manifest.snapshot, manifest.replay_from) = (writer.from.sequence, writer.from);
        })?;
        if before != 0 && before != writer.from.sequence {
            self.disk.remove(&snapshot::name(before))?;
        }
        self.upkeep.snapshot_bytes = bytes;
        self.upkeep.since_snapshot -= self.upkeep.before_writer;
        self.keep_reserve();
        self.retire()
    }

    /// Lets go of segments of which nothing is in use. All that was written is on disk, so that nothing will ever be in
    /// use again of what is not now.
    pub(super) fn retire(&mut self) -> Result<(), StoreError> {
        let from = locked(&self.manifest).1.replay_from.segment;
        let mut shelf = writing(&self.shelf);
        let before: Vec<u32> = shelf.segments.range(..from).map(|(number, _)| *number).collect();
        for number in before.into_iter().filter(|number| shelf.places.live_of(*number) == 0).collect::<Vec<_>>() {
            let Some(segment) = shelf.segments.remove(&number) else { continue };
            self.upkeep.spoiled.remove(&number);
            locked(&self.spares).add(&*self.disk, Spare { name: segment::name(number), segment })?;
        }
        Ok(())
    }

    // Cleaning

    /// The next values to be written once more.
    fn clean(&mut self, most: u32) -> Result<Batch, StoreError> {
        let next = |segment| Cleaning { segment, offset: FIRST_FRAME };
        let cleaning = self.upkeep.cleaning.take().or_else(|| self.worth_cleaning().map(next));
        let Some(cleaning) = cleaning else { return Ok(Batch::new()) };
        self.clean_on(cleaning, most)
    }

    /// A segment that is worth it, if it is time.
    fn worth_cleaning(&self) -> Option<u32> {
        let low = locked(&self.spares).low;
        let (used, live) = {
            let shelf = reading(&self.shelf);
            (shelf.bytes(), shelf.places.live())
        };
        if !low && used <= 2 * live + SPARE_SEGMENTS * u64::from(self.settings.segment_bytes) {
            return None;
        }
        let worst = self.worst_segment(1, 2)?;
        // Without space what is moved must fit into what is left of the active one.
        let live = reading(&self.shelf).places.live_of(worst);
        (!low || 2 * live <= u64::from(self.room())).then_some(worst)
    }

    /// The segment of which least is in use, if that is less than this part of it.
    fn worst_segment(&self, part: u64, of: u64) -> Option<u32> {
        let from = locked(&self.manifest).1.replay_from.segment;
        let shelf = reading(&self.shelf);
        let all = shelf.segments.range(..from).filter(|(number, _)| !self.upkeep.spoiled.contains(number));
        let live = all.map(|(number, segment)| (shelf.places.live_of(*number), u64::from(segment.bytes), *number));
        let little = live.filter(|(live, bytes, _)| live * of < bytes * part);
        little.min_by_key(|(live, bytes, _)| live * 1_000 / bytes.max(&1)).map(|(.., number)| number)
    }

    fn clean_on(&mut self, mut cleaning: Cleaning, most: u32) -> Result<Batch, StoreError> {
        let (mut moved, mut looked_at) = (Batch::new(), 0_u32);
        let shelf = reading(&self.shelf);
        let Some(segment) = shelf.segments.get(&cleaning.segment) else { return Ok(moved) };
        while looked_at < most {
            let rest = segment.bytes.saturating_sub(cleaning.offset);
            let Some(bytes) = read_frame(&*segment.file, cleaning.offset, rest)? else { break };
            let frame = frame::decode(&bytes, self.salt).filter(|frame| frame.head.segment == cleaning.segment);
            let Some(frame) = frame else { break };
            for entry in frame::entries(frame.body).flatten() {
                let Some(value) = entry.value else { continue };
                let at = u64::from(cleaning.offset) + value.start as u64;
                let place = shelf.places.get(entry.key);
                if place.is_some_and(|it| it.segment == cleaning.segment && u64::from(it.offset) == at) {
                    moved.push((entry.key.to_vec(), bytes.get(value).map(<[u8]>::to_vec)));
                }
            }
            let taken = u32::try_from(frame.bytes).unwrap_or(u32::MAX);
            cleaning.offset = cleaning.offset.saturating_add(taken);
            looked_at = looked_at.saturating_add(taken);
        }
        if looked_at >= most {
            self.upkeep.cleaning = Some(cleaning);
        } else if looked_at == 0 || moved.is_empty() {
            // All of it was read. What is in use and was not found stands behind something damaged.
            if shelf.places.live_of(cleaning.segment) > 0 {
                tracing::error!(
                    file = segment::name(cleaning.segment),
                    offset = cleaning.offset,
                    "a segment is damaged"
                );
                drop(shelf);
                self.upkeep.spoiled.insert(cleaning.segment);
            }
        } else {
            // Once more, to see that nothing is left.
            self.upkeep.cleaning = Some(cleaning);
        }
        Ok(moved)
    }

    /// What is done bit by bit otherwise, as far as that makes room: with a full disk nothing is written, so there is no
    /// next step.
    pub(super) fn free_what_can_be_freed(&mut self) -> Result<(), StoreError> {
        self.flush()?;
        self.retire()?;
        while self.is_short_of_space() {
            let before = (self.at, self.upkeep.since_snapshot);
            self.snapshot_step()?;
            let moved = self.clean(STEP_BYTES)?;
            if !moved.is_empty() {
                self.append(&moved)?;
            }
            self.flush()?;
            self.retire()?;
            let idle = self.upkeep.writer.is_none() && self.upkeep.cleaning.is_none();
            if idle && before == (self.at, self.upkeep.since_snapshot) {
                break;
            }
        }
        Ok(())
    }

    /// A snapshot now, and all that is in use moved out of segments of which much is not.
    pub(super) fn compact_all(&mut self) -> Result<(), StoreError> {
        self.upkeep.cleaning = None;
        self.snapshot_now()?;
        while let Some(segment) = self.worst_segment(7, 8) {
            let mut cleaning = Some(Cleaning { segment, offset: FIRST_FRAME });
            while let Some(begin) = cleaning {
                let moved = self.clean_on(begin, STEP_BYTES)?;
                cleaning = self.upkeep.cleaning.take();
                if !moved.is_empty() {
                    self.append(&moved)?;
                }
            }
            self.flush()?;
            self.retire()?;
        }
        self.snapshot_now()?;
        Ok(locked(&self.spares).clear(&*self.disk)?)
    }

    fn snapshot_now(&mut self) -> Result<(), StoreError> {
        self.flush()?;
        if self.at.offset > FIRST_FRAME {
            self.rotate(FIRST_FRAME)?;
        }
        self.upkeep.writer = None;
        self.try_snapshot_step()?;
        while self.upkeep.writer.is_some() {
            self.try_snapshot_step()?;
        }
        Ok(())
    }
}

/// The bytes of the frame that begins here; `None` if none does.
fn read_frame(file: &dyn super::disk::DiskFile, offset: u32, rest: u32) -> io::Result<Option<Vec<u8>>> {
    let mut bytes = vec![0; frame::HEADER_BYTES];
    if (rest as usize) < bytes.len() {
        return Ok(None);
    }
    match file.read_at(offset.into(), &mut bytes) {
        Err(error) if error.kind() == io::ErrorKind::UnexpectedEof => return Ok(None),
        other => other?,
    }
    let Some(announced) = frame::announced(&bytes).filter(|bytes| *bytes <= rest as usize) else { return Ok(None) };
    bytes.resize(announced, 0);
    match file.read_at(offset.into(), &mut bytes) {
        Err(error) if error.kind() == io::ErrorKind::UnexpectedEof => Ok(None),
        other => other.map(|()| Some(bytes)),
    }
}
