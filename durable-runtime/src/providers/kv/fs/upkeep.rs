//! What keeps a journal short: snapshots, and beside them the cleaning of segments. Both go in small steps,
//! one with each commit, so that no commit waits long.

use std::collections::BTreeSet;
use std::io;

use super::super::gate::locked;
use super::super::store::{Batch, StoreError};
use super::cleaning::Cleaning;
use super::frame;
use super::journal::{Journal, reading, writing};
use super::segment::{self, Spare};
use super::snapshot::{self, Writer};

/// At least so much is looked at, filled or moved in one step.
pub(super) const STEP_BYTES: u32 = 64 << 10;
/// With a full disk a snapshot is worth it as soon as so much is behind the last one, or as much as that has.
const SNAPSHOT_AFTER_WHEN_FULL: u64 = 4 << 10;

/// See the module.
pub(super) struct Upkeep {
    pub(super) writer: Option<Writer>,
    snapshot_bytes: u64,
    /// How much was written since the last snapshot was begun, and how much of that before the one that is being written.
    pub(super) since_snapshot: u64,
    before_writer: u64,
    pub(super) cleaning: Option<Cleaning>,
    /// Segments that could not be read whole, and stay.
    pub(super) spoiled: BTreeSet<u32>,
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

    pub(super) fn snapshot_step(&mut self) -> Result<(), StoreError> {
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

    pub(super) fn try_snapshot_step(&mut self) -> Result<(), StoreError> {
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
}
