//! A snapshot: all keys and where their values stand, so that the journal need not be read from its beginning.
//!
//! It is written in small steps between commits while the keys change. That does no harm: what changes is in frames behind
//! the place in the journal where the snapshot was begun, and they are read after it.
//!
//! ```text
//! magic 4 · format 4 · store 16 · sequence 8 · checksum 4
//! blocks: length 4 · keys 4 · checksum 4, then for each key: bytes shared with the one before 2 · more bytes 2 ·
//!         segment 4 · offset 4 · length 4 · the more bytes. The last block has no keys and says how many there were.
//! ```

use std::io;
use std::sync::Arc;

use super::disk::{Disk, DiskFile};
use super::fault::Fault;
use super::manifest::{Manifest, Position};
use super::places::{Location, Places};

const MAGIC: [u8; 4] = *b"DRsn";
const FORMAT: u32 = 1;
const HEAD_BYTES: usize = 36;
const BLOCK_HEAD_BYTES: usize = 12;
const PREFIX: &str = "snapshot-";
const NEW_NAME: &str = "snapshot.new";
const KEYS_A_BLOCK: usize = 1024;
/// No block is longer, so a damaged length makes nobody ask for too much memory.
const BLOCK_BYTES_MAX: usize = 4 << 20;
/// So much is written at most before it is brought to the disk, so that there is never much to wait for.
const SYNC_EVERY: u64 = 4 << 20;

/// The name of the file of a snapshot.
pub(super) fn name(sequence: u64) -> String {
    format!("{PREFIX}{sequence:016}")
}

/// How large a snapshot of so many keys with so many bytes can be.
pub(super) const fn bytes_max(bytes: u64, keys: u64) -> u64 {
    let blocks = 2 + keys / KEYS_A_BLOCK as u64;
    HEAD_BYTES as u64 + bytes + 16 * keys + (8 + BLOCK_HEAD_BYTES as u64) * blocks
}

/// Which files are snapshots, finished or not.
pub(super) fn is_snapshot(name: &str) -> bool {
    name.starts_with(PREFIX) || name == NEW_NAME
}

/// A snapshot that is being written.
pub(super) struct Writer {
    file: Arc<dyn DiskFile>,
    salt: u32,
    /// Where what it does not hold begins.
    pub(super) from: Position,
    last: Option<Box<[u8]>>,
    keys: u64,
    blocks: u32,
    offset: u64,
    unsynced: u64,
}

impl Writer {
    pub(super) fn begin(disk: &dyn Disk, manifest: &Manifest, from: Position) -> io::Result<Self> {
        let file = disk.create(NEW_NAME)?;
        file.write_at(0, &head(manifest.store, from.sequence))?;
        let offset = HEAD_BYTES as u64;
        Ok(Self { file, salt: manifest.salt(), from, last: None, keys: 0, blocks: 0, offset, unsynced: 0 })
    }

    /// Writes the next keys. Answers with how many bytes it has when it has them all; it is not on disk then.
    pub(super) fn step(&mut self, places: &Places) -> io::Result<Option<u64>> {
        let mut body = Vec::new();
        let (mut count, mut before) = (0_u32, &[][..]);
        for (key, location) in places.after(self.last.as_deref(), KEYS_A_BLOCK) {
            let shared = key.iter().zip(before).take_while(|(one, other)| one == other).count();
            let more = key.get(shared..).unwrap_or_default();
            body.extend(u16::try_from(shared).unwrap_or(u16::MAX).to_be_bytes());
            body.extend(u16::try_from(more.len()).unwrap_or(u16::MAX).to_be_bytes());
            for number in [location.segment, location.offset, location.bytes] {
                body.extend(number.to_be_bytes());
            }
            body.extend(more);
            (count, before) = (count + 1, key);
        }
        let last = (count > 0).then(|| before.into());
        self.keys += u64::from(count);
        if let Some(last) = last {
            self.last = Some(last);
            self.put(count, &body)?;
        }
        if count as usize == KEYS_A_BLOCK {
            return Ok(None);
        }
        self.put(0, &self.keys.to_be_bytes())?;
        Ok(Some(self.offset))
    }

    fn put(&mut self, count: u32, body: &[u8]) -> io::Result<()> {
        let length = u32::try_from(body.len()).unwrap_or(u32::MAX);
        let mut bytes = Vec::with_capacity(BLOCK_HEAD_BYTES + body.len());
        bytes.extend(length.to_be_bytes());
        bytes.extend(count.to_be_bytes());
        bytes.extend(checksum(self.salt, self.blocks, count, body).to_be_bytes());
        bytes.extend(body);
        self.file.write_at(self.offset, &bytes)?;
        self.offset += bytes.len() as u64;
        self.unsynced += bytes.len() as u64;
        self.blocks += 1;
        if self.unsynced >= SYNC_EVERY {
            self.unsynced = 0;
            self.file.sync()?;
        }
        Ok(())
    }

    /// Gives it its name. It counts only when the manifest names it.
    pub(super) fn finish(&self, disk: &dyn Disk) -> io::Result<()> {
        self.file.sync()?;
        disk.rename(NEW_NAME, &name(self.from.sequence))?;
        disk.sync_folder()
    }

    /// Takes away what there is of it.
    pub(super) fn abandon(disk: &dyn Disk) {
        let _ = disk.remove(NEW_NAME);
    }
}

fn head(store: [u8; 16], sequence: u64) -> Vec<u8> {
    let mut bytes = Vec::with_capacity(HEAD_BYTES);
    bytes.extend(MAGIC);
    bytes.extend(FORMAT.to_be_bytes());
    bytes.extend(store);
    bytes.extend(sequence.to_be_bytes());
    bytes.extend(crc32c::crc32c(&bytes).to_be_bytes());
    bytes
}

/// The number of the block is part of it, so that one in the place of another is caught.
fn checksum(salt: u32, block: u32, count: u32, body: &[u8]) -> u32 {
    let numbers = [block.to_be_bytes(), count.to_be_bytes()].concat();
    crc32c::crc32c_append(crc32c::crc32c_append(salt, &numbers), body)
}

/// The keys of the snapshot that the manifest names, and how many bytes it has.
pub(super) fn load(disk: &dyn Disk, manifest: &Manifest) -> Result<(Places, u64), Fault> {
    if manifest.snapshot == 0 {
        return Ok((Places::default(), 0));
    }
    let name = name(manifest.snapshot);
    let file = disk.open(&name).map_err(|error| missing(error, &name))?;
    let mut reader = Reader { file, size: 0, offset: 0, name, salt: manifest.salt(), blocks: 0 };
    reader.size = reader.file.size()?;
    if reader.take(HEAD_BYTES)? != head(manifest.store, manifest.snapshot) {
        return Err(reader.damaged("it does not begin as a snapshot of this store"));
    }
    let mut entries = Vec::new();
    while let Some((count, body)) = reader.block()? {
        let before = entries.len();
        decode(&body, &mut entries).ok_or_else(|| reader.damaged("a block makes no sense"))?;
        if entries.len() - before != count as usize {
            return Err(reader.damaged("a block has not as many keys as it says"));
        }
    }
    let total = reader.take_total()?;
    if total != entries.len() as u64 {
        return Err(reader.damaged("it has not as many keys as it says"));
    }
    Ok((Places::of_sorted(entries), reader.offset))
}

fn missing(error: io::Error, name: &str) -> Fault {
    if error.kind() == io::ErrorKind::NotFound { Fault::damaged(name, 0, "the file is missing") } else { error.into() }
}

struct Reader {
    file: Arc<dyn DiskFile>,
    size: u64,
    offset: u64,
    name: String,
    salt: u32,
    blocks: u32,
}

impl Reader {
    fn damaged(&self, what: &str) -> Fault {
        Fault::damaged(&self.name, self.offset, what)
    }

    fn take(&mut self, bytes: usize) -> Result<Vec<u8>, Fault> {
        if self.size.saturating_sub(self.offset) < bytes as u64 || bytes > BLOCK_BYTES_MAX {
            return Err(self.damaged("it is cut short"));
        }
        let mut buffer = vec![0; bytes];
        self.file.read_at(self.offset, &mut buffer)?;
        self.offset += bytes as u64;
        Ok(buffer)
    }

    /// The next block with keys; `None` in front of the last block.
    fn block(&mut self) -> Result<Option<(u32, Vec<u8>)>, Fault> {
        let begin = self.offset;
        let (count, body) = self.any_block()?;
        if count == 0 {
            self.offset = begin;
            self.blocks -= 1;
            return Ok(None);
        }
        Ok(Some((count, body)))
    }

    fn any_block(&mut self) -> Result<(u32, Vec<u8>), Fault> {
        let head = self.take(BLOCK_HEAD_BYTES)?;
        let number =
            |at| head.get(at..).and_then(|rest: &[u8]| rest.first_chunk::<4>()).map(|it| u32::from_be_bytes(*it));
        let (length, count, sum) = (number(0), number(4), number(8));
        let body = self.take(length.unwrap_or_default() as usize)?;
        let count = count.unwrap_or_default();
        if sum != Some(checksum(self.salt, self.blocks, count, &body)) {
            return Err(self.damaged("the checksum of the block before it is wrong"));
        }
        self.blocks += 1;
        Ok((count, body))
    }

    fn take_total(&mut self) -> Result<u64, Fault> {
        let (_, body) = self.any_block()?;
        let total = body.first_chunk::<8>().map(|total| u64::from_be_bytes(*total));
        total.ok_or_else(|| self.damaged("its last block makes no sense"))
    }
}

/// `None` if it makes no sense.
fn decode(mut body: &[u8], into: &mut Vec<(Box<[u8]>, Location)>) -> Option<()> {
    // The first key of a block shares nothing.
    let mut before: Vec<u8> = Vec::new();
    while !body.is_empty() {
        let (head, rest) = body.split_first_chunk::<16>()?;
        let [s0, s1, m0, m1, numbers @ ..] = head;
        let (shared, more) = (u16::from_be_bytes([*s0, *s1]) as usize, u16::from_be_bytes([*m0, *m1]) as usize);
        let mut numbers = numbers.as_chunks::<4>().0.iter().map(|number| u32::from_be_bytes(*number));
        let location = Location { segment: numbers.next()?, offset: numbers.next()?, bytes: numbers.next()? };
        let (tail, rest) = rest.split_at_checked(more)?;
        if shared > before.len() {
            return None;
        }
        before.truncate(shared);
        before.extend(tail);
        if into.last().is_some_and(|(last, _)| **last >= *before) {
            return None;
        }
        into.push((before.as_slice().into(), location));
        body = rest;
    }
    Some(())
}
