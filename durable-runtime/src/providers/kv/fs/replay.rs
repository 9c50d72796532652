//! Reading a journal: the snapshot, then every frame behind it up to the first that is not whole.

use std::collections::{BTreeMap, BTreeSet};
use std::io;

use super::disk::Disk;
use super::fault::Fault;
use super::frame::{self, Frame};
use super::manifest::{Manifest, Position};
use super::places::{Location, Places};
use super::segment::{self, FIRST_FRAME, Segment, SegmentHead};
use super::shelf::Shelf;
use super::snapshot;

/// What a journal holds.
pub(super) struct Replayed {
    pub(super) shelf: Shelf,
    /// Where the next frame goes.
    pub(super) at: Position,
    /// How much was read that is in no snapshot.
    pub(super) replayed_bytes: u64,
    pub(super) snapshot_bytes: u64,
}

/// Reads the journal, and brings its end in order: what was never whole is wiped out, and what was not known to be on
/// disk is written once more, since it may be nowhere but in memory.
pub(super) fn replay(disk: &dyn Disk, manifest: &Manifest) -> Result<Replayed, Fault> {
    let (mut places, snapshot_bytes) = snapshot::load(disk, manifest)?;
    let mut segments = BTreeMap::new();
    let mut at = manifest.replay_from;
    let mut broken_off = at;
    let mut replayed_bytes = 0;
    for number in manifest.replay_from.segment..=manifest.active {
        let (segment, bytes) = read_segment(disk, number)?;
        let head = check_head(&bytes, number, manifest)?;
        if number > manifest.replay_from.segment {
            broken_off = at;
            at = Position { segment: number, offset: FIRST_FRAME, ..at };
        }
        if number > manifest.replay_from.segment && head.first != at.sequence {
            let what = format!("frame {} is damaged; the next segment begins with {}", at.sequence, head.first);
            return Err(Fault::damaged(segment::name(broken_off.segment), broken_off.offset.into(), what));
        }
        let begin = at.offset;
        let read = read_frames(&bytes, &mut at, manifest.salt(), &mut places)?;
        replayed_bytes += u64::from(at.offset - begin);
        if number == manifest.active {
            check_end(&bytes, at, manifest)?;
            mend_end(&segment, &bytes, at, &read, manifest.reached)?;
        }
        segments.insert(number, segment);
    }
    let missing: BTreeSet<u32> = places.segments().filter(|number| !segments.contains_key(number)).collect();
    for number in missing {
        let segment = Segment::open(disk, &segment::name(number)).map_err(|error| not_found(error, number))?;
        segments.insert(number, segment);
    }
    Ok(Replayed { shelf: Shelf { places, segments }, at, replayed_bytes, snapshot_bytes })
}

fn not_found(error: io::Error, number: u32) -> Fault {
    match error.kind() {
        io::ErrorKind::NotFound => Fault::damaged(segment::name(number), 0, "the file is missing"),
        _ => error.into(),
    }
}

fn read_segment(disk: &dyn Disk, number: u32) -> Result<(Segment, Vec<u8>), Fault> {
    let segment = Segment::open(disk, &segment::name(number)).map_err(|error| not_found(error, number))?;
    let mut bytes = vec![0; segment.bytes as usize];
    segment.file.read_at(0, &mut bytes)?;
    Ok((segment, bytes))
}

fn check_head(bytes: &[u8], number: u32, manifest: &Manifest) -> Result<SegmentHead, Fault> {
    let head = SegmentHead::decode(bytes).filter(|head| head.number == number && head.store == manifest.store);
    head.ok_or_else(|| Fault::damaged(segment::name(number), 0, "it does not begin as this segment of this store"))
}

/// A frame that was read: its number, where it stands, and the last one that it says was on disk.
struct Read {
    sequence: u64,
    offset: u32,
    durable: u64,
}

/// Reads frames as long as they follow each other.
fn read_frames(bytes: &[u8], at: &mut Position, salt: u32, places: &mut Places) -> Result<Vec<Read>, Fault> {
    let mut read = Vec::new();
    while let Some(frame) = next_frame(bytes, *at, salt) {
        read.push(Read { sequence: at.sequence, offset: at.offset, durable: frame.head.durable });
        take(frame.body, *at, places)?;
        // A segment has less than 4 GiB.
        at.offset = at.offset.saturating_add(u32::try_from(frame.bytes).unwrap_or(u32::MAX));
        at.sequence += 1;
    }
    Ok(read)
}

fn next_frame(bytes: &[u8], at: Position, salt: u32) -> Option<Frame<'_>> {
    let frame = frame::decode(bytes.get(at.offset as usize..)?, salt)?;
    (frame.head.segment == at.segment && frame.head.sequence == at.sequence).then_some(frame)
}

/// Brings `places` in step with a frame that stands at `at`, by what is behind its head.
pub(super) fn take(body: &[u8], at: Position, places: &mut Places) -> Result<(), Fault> {
    for entry in frame::entries(body) {
        let entry = entry.ok_or_else(|| {
            Fault::damaged(segment::name(at.segment), at.offset.into(), "a frame makes no sense inside")
        })?;
        match entry.value {
            Some(value) => places.put(entry.key, location(at, &value)),
            None => places.remove(entry.key),
        }
    }
    Ok(())
}

/// Where a value stands, by its place in its frame.
pub(super) fn location(at: Position, value: &std::ops::Range<usize>) -> Location {
    let offset = at.offset.saturating_add(u32::try_from(value.start).unwrap_or(u32::MAX));
    Location { segment: at.segment, offset, bytes: u32::try_from(value.len()).unwrap_or(u32::MAX) }
}

/// The journal ends at `at`. If anything says that it went on, it was damaged.
fn check_end(bytes: &[u8], at: Position, manifest: &Manifest) -> Result<(), Fault> {
    let damaged = |what| Err(Fault::damaged(segment::name(at.segment), at.offset.into(), what));
    let rest = bytes.get(at.offset as usize..).unwrap_or_default();
    if let Some(proof) = frame::proof_of(at.sequence, at.segment, rest, manifest.salt()) {
        let proof = at.offset as usize + proof;
        return damaged(format!("frame {} is damaged; a later one stands at byte {proof}", at.sequence));
    }
    if at.sequence <= manifest.reached {
        return damaged(format!("frame {} is damaged; the store had {} of them", at.sequence, manifest.reached));
    }
    Ok(())
}

fn mend_end(segment: &Segment, bytes: &[u8], at: Position, read: &[Read], reached: u64) -> io::Result<()> {
    let durable = read.iter().map(|frame| frame.durable).max().unwrap_or_default().max(reached);
    let end = at.offset as usize;
    if let Some(first) = read.iter().find(|frame| frame.sequence > durable) {
        let again = bytes.get(first.offset as usize..end).unwrap_or_default();
        segment.file.write_at(first.offset.into(), again)?;
    }
    let rest = bytes.get(end..).unwrap_or_default();
    if let Some(last) = rest.iter().rposition(|byte| *byte != 0) {
        segment.file.write_at(end as u64, &vec![0; last + 1])?;
    }
    segment.file.sync()
}
