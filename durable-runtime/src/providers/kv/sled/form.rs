//! The form of sled's data file, as sled 0.34 writes it: parts of one size (sled calls them segments), and messages in them.
//!
//! ```text
//! part:    checksum 4 · number of its first byte 8 · up to where all was written when it was begun 8 · messages
//! message: checksum 4 · kind 1 · length · number of the part · page · length bytes
//! ```
//!
//! Numbers without a width take one byte up to 240, and more from there. No message begins in the last [`HEADER_ROOM`]
//! bytes of a part, and none goes on in the next: a *cap* fills what is left.

use std::io;
use std::sync::Arc;

use super::super::chunks::VALUE_BYTES_MAX;
use super::super::disk::DiskFile;
use super::super::store::StoreError;
use super::SEGMENT_BYTES;

/// As much as sled leaves at the end of a part for what stands in front of a message.
const HEADER_ROOM: usize = 32;
/// Longer ones sled keeps in files of their own.
const MESSAGE_BYTES_MAX: usize = SEGMENT_BYTES / 4;
const LOOK_BYTES: u64 = 64 << 10;
/// A message may end with zeros, with far fewer than these: no value is longer than 4 KiB, and something stands between them.
const ZEROS_MAX: u64 = 16 * VALUE_BYTES_MAX as u64;
/// What numbers of bytes are crossed with in the header of a part.
const CROSSED: i64 = i64::MAX;

/// What a message says.
#[derive(Debug, Clone, Copy)]
pub(super) enum Kind {
    /// Nothing comes behind it in its part.
    Cap = 2,
    /// How many ids were given.
    Counter = 5,
    /// The names of the trees, and where each begins.
    Trees = 6,
    /// All of a page.
    Page = 8,
}

/// Writes a data file from its beginning to its end.
pub(super) struct Parts {
    file: Arc<dyn DiskFile>,
    /// Of the part that is being filled.
    number: u64,
    bytes: Vec<u8>,
}

impl Parts {
    pub(super) fn new(file: Arc<dyn DiskFile>) -> Self {
        Self { file, number: 0, bytes: part_header(0) }
    }

    /// The page with this number is this, from now on.
    pub(super) fn put(&mut self, kind: Kind, page: u64, body: &[u8]) -> Result<(), StoreError> {
        if body.len() > MESSAGE_BYTES_MAX {
            return Err(StoreError::Other(format!("a page would have {} bytes, which is too many", body.len())));
        }
        let mut message = message(kind, self.number, page, body);
        if message.len().max(HEADER_ROOM) > self.room() {
            self.turn()?;
            message = self::message(kind, self.number, page, body);
        }
        self.bytes.extend(message);
        Ok(())
    }

    /// What is left of the part.
    pub(super) const fn room(&self) -> usize {
        SEGMENT_BYTES - self.bytes.len()
    }

    /// Goes on in the next part.
    fn turn(&mut self) -> Result<(), StoreError> {
        if let Some(length) = self.room().checked_sub(HEADER_ROOM) {
            self.bytes.extend(message(Kind::Cap, self.number, u64::MAX, &vec![0; length]));
        }
        self.bytes.resize(SEGMENT_BYTES, 0);
        self.write()?;
        self.number += 1;
        self.bytes = part_header(self.number);
        Ok(())
    }

    fn write(&self) -> Result<(), StoreError> {
        self.file.write_at(self.number * SEGMENT_BYTES as u64, &self.bytes)?;
        Ok(self.file.sync()?)
    }

    /// Returns when all is on disk.
    pub(super) fn finish(self) -> Result<(), StoreError> {
        self.write()
    }
}

/// Gives back the zeros at the end of a data file which sled has let go of: it writes them there itself, up to the end of
/// the part, when it is opened.
pub(super) fn cut(file: &dyn DiskFile) -> io::Result<()> {
    let size = file.size()?;
    let mut end = size;
    while end > 0 {
        let begin = (end - 1) / LOOK_BYTES * LOOK_BYTES;
        let mut bytes = vec![0; (end - begin) as usize];
        file.read_at(begin, &mut bytes)?;
        if bytes.iter().any(|byte| *byte != 0) {
            break;
        }
        end = begin;
    }
    let kept = end + ZEROS_MAX;
    if kept < size { file.cut(kept) } else { Ok(()) }
}

fn part_header(number: u64) -> Vec<u8> {
    let first = i64::try_from(number * SEGMENT_BYTES as u64).unwrap_or(i64::MAX);
    let numbers = [first ^ CROSSED, (first - 1) ^ CROSSED].map(i64::to_le_bytes).concat();
    let mut bytes = Vec::with_capacity(SEGMENT_BYTES);
    bytes.extend((!crc32fast::hash(&numbers)).to_le_bytes());
    bytes.extend(numbers);
    bytes
}

fn message(kind: Kind, part: u64, page: u64, body: &[u8]) -> Vec<u8> {
    let mut header = vec![kind as u8];
    put_number(&mut header, body.len() as u64);
    put_number(&mut header, part);
    put_number(&mut header, page);
    let mut checksum = crc32fast::Hasher::new();
    checksum.update(body);
    checksum.update(&header);
    [&(!checksum.finalize()).to_le_bytes(), &header[..], body].concat()
}

/// A number, as short as it can be.
pub(super) fn put_number(to: &mut Vec<u8>, number: u64) {
    match number {
        0..=240 => to.push(number as u8),
        241..=2_287 => to.extend([((number - 240) / 256 + 241) as u8, ((number - 240) % 256) as u8]),
        2_288..=67_823 => to.extend([249, ((number - 2_288) / 256) as u8, ((number - 2_288) % 256) as u8]),
        _ => {
            let bytes = (8 - number.leading_zeros() as usize / 8).max(3);
            to.push(247 + bytes as u8);
            to.extend(number.to_le_bytes().iter().take(bytes));
        }
    }
}

/// Bytes behind their length.
pub(super) fn put_bytes(to: &mut Vec<u8>, bytes: &[u8]) {
    put_number(to, bytes.len() as u64);
    to.extend(bytes);
}
