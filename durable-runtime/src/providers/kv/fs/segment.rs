//! A segment: a file of the journal. All of it is written before it is used, so that a frame changes only bytes that the
//! file has already, and `fdatasync` has nothing but them to bring to the disk.
//!
//! ```text
//! magic 4 · format 4 · number 4 · zeros 4 · first sequence 8 · store 16 · checksum 4, then frames from byte 64 on
//! ```

use std::io;
use std::sync::Arc;

use super::disk::{Disk, DiskFile};

/// Where the first frame stands.
pub(super) const FIRST_FRAME: u32 = 64;
const MAGIC: [u8; 4] = *b"DRse";
const FORMAT: u32 = 1;
const CHECKSUM_AT: usize = 40;
const PREFIX: &str = "segment-";
const SPARE: &str = "spare-";
const NEW: &str = ".new";
const ZEROS_AT_ONCE: u32 = 1 << 20;

/// What stands in front of the frames of a segment.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) struct SegmentHead {
    pub(super) number: u32,
    /// The number of its first frame.
    pub(super) first: u64,
    pub(super) store: [u8; 16],
}

impl SegmentHead {
    pub(super) fn encode(&self) -> Vec<u8> {
        let mut bytes = Vec::with_capacity(FIRST_FRAME as usize);
        bytes.extend(MAGIC);
        bytes.extend(FORMAT.to_be_bytes());
        bytes.extend(self.number.to_be_bytes());
        bytes.extend([0; 4]);
        bytes.extend(self.first.to_be_bytes());
        bytes.extend(self.store);
        bytes.extend(crc32c::crc32c(&bytes).to_be_bytes());
        bytes.resize(FIRST_FRAME as usize, 0);
        bytes
    }

    pub(super) fn decode(bytes: &[u8]) -> Option<Self> {
        let body = bytes.get(..CHECKSUM_AT)?;
        if bytes.get(CHECKSUM_AT..)?.first_chunk::<4>()? != &crc32c::crc32c(body).to_be_bytes() {
            return None;
        }
        let short = |at| Some(u32::from_be_bytes(*body.get(at..)?.first_chunk::<4>()?));
        if body.get(..4)? != MAGIC || short(4)? != FORMAT {
            return None;
        }
        Some(Self {
            number: short(8)?,
            first: u64::from_be_bytes(*body.get(16..)?.first_chunk()?),
            store: *body.get(24..)?.first_chunk()?,
        })
    }
}

/// A file of the journal.
#[derive(Clone)]
pub(super) struct Segment {
    pub(super) file: Arc<dyn DiskFile>,
    pub(super) bytes: u32,
}

impl Segment {
    /// One that is there.
    pub(super) fn open(disk: &dyn Disk, name: &str) -> io::Result<Self> {
        let file = disk.open(name)?;
        let bytes = u32::try_from(file.size()?).unwrap_or(u32::MAX);
        Ok(Self { file, bytes })
    }
}

/// The name of the file of a segment.
pub(super) fn name(number: u32) -> String {
    format!("{PREFIX}{number:08}")
}

/// Which segment a file is.
pub(super) fn number(name: &str) -> Option<u32> {
    name.strip_prefix(PREFIX)?.parse().ok()
}

/// Whether a file waits to become a segment.
pub(super) fn is_spare(name: &str) -> bool {
    name.starts_with(SPARE) && !name.ends_with(NEW)
}

/// Whether a file was being made when the store was stopped.
pub(super) fn is_unfinished(name: &str) -> bool {
    name.starts_with(SPARE) && name.ends_with(NEW)
}

/// A file that is being filled, to become a segment later.
pub(super) struct Growing {
    name: String,
    file: Arc<dyn DiskFile>,
    written: u32,
    unsynced: u32,
    bytes: u32,
}

/// A file of the right size that holds nothing any more.
pub(super) struct Spare {
    pub(super) name: String,
    pub(super) segment: Segment,
}

impl Growing {
    pub(super) fn begin(disk: &dyn Disk, number: u64, bytes: u32) -> io::Result<Self> {
        let name = format!("{SPARE}{number:08}");
        let file = disk.create(&format!("{name}{NEW}"))?;
        Ok(Self { name, file, written: 0, unsynced: 0, bytes })
    }

    /// Fills up to `most` bytes more; answers with the spare when all are there.
    pub(super) fn grow(&mut self, disk: &dyn Disk, most: u32) -> io::Result<Option<Spare>> {
        let mut left = most.min(self.bytes - self.written);
        let zeros = vec![0; left.min(ZEROS_AT_ONCE) as usize];
        while left > 0 {
            let now = left.min(ZEROS_AT_ONCE);
            self.file.write_at(u64::from(self.written), zeros.get(..now as usize).unwrap_or_default())?;
            self.written += now;
            self.unsynced += now;
            left -= now;
        }
        // Bit by bit, so that the last step does not have to wait for all of it.
        if self.unsynced >= ZEROS_AT_ONCE || self.written == self.bytes {
            self.unsynced = 0;
            self.file.sync()?;
        }
        if self.written < self.bytes {
            return Ok(None);
        }
        disk.rename(&self.unfinished(), &self.name)?;
        let segment = Segment { file: self.file.clone(), bytes: self.bytes };
        Ok(Some(Spare { name: self.name.clone(), segment }))
    }

    /// How many bytes it will have.
    pub(super) fn bytes(&self) -> u32 {
        self.bytes
    }

    pub(super) fn unfinished(&self) -> String {
        format!("{}{NEW}", self.name)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_head_is_read_back_and_every_flipped_bit_is_caught() {
        let head = SegmentHead { number: 9, first: 77, store: [3; 16] };
        let good = head.encode();
        assert_eq!(good.len(), FIRST_FRAME as usize);
        assert_eq!(SegmentHead::decode(&good), Some(head));
        for bit in 0..(CHECKSUM_AT + 4) * 8 {
            let mut bad = good.clone();
            bad[bit / 8] ^= 1 << (bit % 8);
            assert!(SegmentHead::decode(&bad).is_none(), "bit {bit}");
        }
    }

    #[test]
    fn names_are_told_apart() {
        assert_eq!(number(&name(7)), Some(7));
        assert_eq!(number("snapshot-00000007"), None);
        assert!(is_spare("spare-00000001") && !is_spare("spare-00000001.new"));
        assert!(is_unfinished("spare-00000001.new") && !is_unfinished("segment-00000001"));
    }
}
