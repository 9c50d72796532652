//! What a store is and where to begin to read it. Kept twice in one small file that is written in place, one copy after
//! the other, each on disk before the next is begun: so it needs no space that is not there already, one of the two is
//! always whole, and one that was damaged since has a twin.

use std::io;
use std::sync::Arc;

use super::disk::{Disk, DiskFile};
use super::fault::Fault;

const NAME: &str = "manifest";
const NEW_NAME: &str = "manifest.new";
const MAGIC: [u8; 4] = *b"DRma";
const FORMAT: u32 = 1;
const COPY_BYTES: u64 = 4096;
const BYTES: usize = 72;
const CHECKSUM_AT: usize = BYTES - 4;

/// A place in the journal: where frame `sequence` is, or will be.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) struct Position {
    pub(super) segment: u32,
    pub(super) offset: u32,
    pub(super) sequence: u64,
}

/// See the module.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) struct Manifest {
    /// The name of the store: no other has it.
    pub(super) store: [u8; 16],
    /// Counts the writings of this file.
    pub(super) version: u64,
    /// The snapshot; 0 if there is none.
    pub(super) snapshot: u64,
    /// What is not in the snapshot begins here.
    pub(super) replay_from: Position,
    /// The segment that is being written.
    pub(super) active: u32,
    /// A frame that is known to be on disk. In a store that was closed it is the last one.
    pub(super) reached: u64,
}

impl Manifest {
    pub(super) fn new(store: [u8; 16], first: Position) -> Self {
        Self { store, version: 0, snapshot: 0, replay_from: first, active: first.segment, reached: 0 }
    }

    /// The seed of all checksums of the store.
    pub(super) fn salt(&self) -> u32 {
        crc32c::crc32c(&self.store)
    }

    fn encode(&self) -> Vec<u8> {
        let mut bytes = Vec::with_capacity(BYTES);
        bytes.extend(MAGIC);
        bytes.extend(FORMAT.to_be_bytes());
        bytes.extend(self.store);
        bytes.extend(self.version.to_be_bytes());
        bytes.extend(self.snapshot.to_be_bytes());
        bytes.extend(self.replay_from.segment.to_be_bytes());
        bytes.extend(self.replay_from.offset.to_be_bytes());
        bytes.extend(self.replay_from.sequence.to_be_bytes());
        bytes.extend(self.active.to_be_bytes());
        bytes.extend(self.reached.to_be_bytes());
        bytes.extend(crc32c::crc32c(&bytes).to_be_bytes());
        bytes
    }

    /// `None` if it is damaged, or never was whole.
    fn decode(bytes: &[u8]) -> Option<Result<Self, Fault>> {
        let (body, sum) = bytes.split_at_checked(CHECKSUM_AT)?;
        if sum != crc32c::crc32c(body).to_be_bytes() || body.get(..4)? != MAGIC {
            return None;
        }
        let short = |at| Some(u32::from_be_bytes(*body.get(at..)?.first_chunk::<4>()?));
        let long = |at| Some(u64::from_be_bytes(*body.get(at..)?.first_chunk::<8>()?));
        let format = short(4)?;
        if format > FORMAT {
            return Some(Err(Fault::Newer { found: format, supported: FORMAT }));
        }
        Some(Ok(Self {
            store: *body.get(8..)?.first_chunk::<16>()?,
            version: long(24)?,
            snapshot: long(32)?,
            replay_from: Position { segment: short(40)?, offset: short(44)?, sequence: long(48)? },
            active: short(56)?,
            reached: long(60)?,
        }))
    }
}

/// The file.
pub(super) struct ManifestFile(Arc<dyn DiskFile>);

impl ManifestFile {
    /// Makes the file; it is there whole, or not at all.
    pub(super) fn create(disk: &dyn Disk, manifest: &Manifest) -> io::Result<Self> {
        let file = disk.create(NEW_NAME)?;
        let mut bytes = manifest.encode();
        bytes.resize(COPY_BYTES as usize, 0);
        file.write_at(0, &[bytes.clone(), bytes].concat())?;
        file.sync()?;
        disk.rename(NEW_NAME, NAME)?;
        disk.sync_folder()?;
        Ok(Self(file))
    }

    /// The file and what it says; `None` if it is not there.
    pub(super) fn open(disk: &dyn Disk) -> Result<Option<(Self, Manifest)>, Fault> {
        let file = match disk.open(NAME) {
            Ok(file) => file,
            Err(error) if error.kind() == io::ErrorKind::NotFound => return Ok(None),
            Err(error) => return Err(error.into()),
        };
        let mut newest: Option<Manifest> = None;
        for at in [0, COPY_BYTES] {
            let mut bytes = vec![0; BYTES];
            match file.read_at(at, &mut bytes) {
                Err(error) if error.kind() == io::ErrorKind::UnexpectedEof => {}
                Err(error) => return Err(error.into()),
                Ok(()) => {
                    let found = Manifest::decode(&bytes).transpose()?;
                    newest = newest.into_iter().chain(found).max_by_key(|manifest| manifest.version);
                }
            }
        }
        match newest {
            Some(manifest) => Ok(Some((Self(file), manifest))),
            None => Err(Fault::damaged(NAME, 0, "both copies of it are unreadable")),
        }
    }

    /// Returns when both copies are on disk.
    pub(super) fn write(&self, manifest: &mut Manifest) -> io::Result<()> {
        manifest.version += 1;
        for at in [0, COPY_BYTES] {
            self.0.write_at(at, &manifest.encode())?;
            self.0.sync()?;
        }
        Ok(())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn it_is_read_back_and_every_flipped_bit_is_caught() {
        let from = Position { segment: 3, offset: 64, sequence: 9 };
        let manifest = Manifest { version: 4, snapshot: 8, reached: 11, active: 5, ..Manifest::new([7; 16], from) };
        let good = manifest.encode();
        assert_eq!(good.len(), BYTES);
        assert_eq!(Manifest::decode(&good).unwrap().unwrap(), manifest);
        for bit in 0..good.len() * 8 {
            let mut bad = good.clone();
            bad[bit / 8] ^= 1 << (bit % 8);
            assert!(Manifest::decode(&bad).is_none(), "bit {bit}");
        }
    }
}
