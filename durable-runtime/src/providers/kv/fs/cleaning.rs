//! Cleaning: what is in use of a segment of which little is, is written once more, and the segment is free.

use std::io;

use super::super::gate::locked;
use super::super::store::{Batch, StoreError};
use super::disk::DiskFile;
use super::frame;
use super::journal::{Journal, reading};
use super::segment::{self, FIRST_FRAME};
use super::upkeep::STEP_BYTES;

/// What is not in use may take as much as what is, and this many segments more.
const SPARE_SEGMENTS: u64 = 4;

/// A segment whose values in use are being written once more, and how far that is.
#[derive(Debug, Clone, Copy)]
pub(super) struct Cleaning {
    segment: u32,
    offset: u32,
}

impl Journal {
    /// The next values to be written once more.
    pub(super) fn clean(&mut self, most: u32) -> Result<Batch, StoreError> {
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
        // Twice through everything is enough; what that does not free, nothing will.
        let steps = 16 + 2 * reading(&self.shelf).bytes() / u64::from(STEP_BYTES);
        for _ in 0..steps {
            if !self.is_short_of_space() {
                break;
            }
            let before = (self.at, self.upkeep.since_snapshot);
            self.snapshot_step()?;
            // To its end: looking for space takes what it finds as a reserve, from a snapshot that is half written too.
            while self.upkeep.writer.is_some() {
                self.snapshot_step()?;
            }
            let moved = self.clean(STEP_BYTES)?;
            if !moved.is_empty() {
                self.append(&moved)?;
            }
            self.flush()?;
            self.retire()?;
            if self.upkeep.cleaning.is_none() && before == (self.at, self.upkeep.since_snapshot) {
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
fn read_frame(file: &dyn DiskFile, offset: u32, rest: u32) -> io::Result<Option<Vec<u8>>> {
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
