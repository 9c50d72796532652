//! A file that is given up when the disk is full. Without a snapshot nothing can be taken away from a journal, so there
//! is always space for one.

use std::io;

use super::disk::Disk;

const NAME: &str = "reserve";
const NEW_NAME: &str = "reserve.new";

/// See the module.
#[derive(Debug, Default)]
pub(super) struct Reserve {
    /// How large it is; 0 if it was given up.
    bytes: u64,
    /// How large it has to be.
    needed: u64,
}

impl Reserve {
    /// Takes in that of the time before.
    pub(super) fn open(disk: &dyn Disk, names: &[String]) -> io::Result<Self> {
        let has = |name: &str| names.iter().any(|it| it == name);
        if has(NEW_NAME) {
            disk.remove(NEW_NAME)?;
        }
        let bytes = if has(NAME) { disk.open(NAME)?.size()? } else { 0 };
        Ok(Self { bytes, needed: 0 })
    }

    pub(super) fn is_there(&self) -> bool {
        self.bytes >= self.needed
    }

    /// From now on so much may be needed, and soon some more.
    pub(super) fn need(&mut self, bytes: u64) {
        self.needed = bytes + bytes / 4;
    }

    /// Makes it as large as is needed, and some more, so that this is not done often; answers whether it is.
    pub(super) fn fill(&mut self, disk: &dyn Disk) -> bool {
        if !self.is_there() || self.bytes > 8 * self.needed {
            let bytes = self.needed + self.needed / 2;
            // The one that is there stays until the new one is.
            match Self::write(disk, bytes) {
                Ok(()) => self.bytes = bytes,
                Err(_) => drop(disk.remove(NEW_NAME)),
            }
        }
        self.is_there()
    }

    fn write(disk: &dyn Disk, bytes: u64) -> io::Result<()> {
        let zeros = vec![0; 1 << 16];
        let file = disk.create(NEW_NAME)?;
        for at in (0..bytes).step_by(zeros.len()) {
            let rest = usize::try_from(bytes - at).unwrap_or(usize::MAX);
            file.write_at(at, zeros.get(..rest).unwrap_or(&zeros))?;
        }
        file.sync()?;
        disk.rename(NEW_NAME, NAME)
    }

    /// Takes a file in its place; answers whether that is large enough.
    pub(super) fn adopt(&mut self, disk: &dyn Disk, name: &str, bytes: u32) -> io::Result<bool> {
        if u64::from(bytes) < self.needed {
            return Ok(false);
        }
        disk.rename(name, NAME)?;
        self.bytes = bytes.into();
        Ok(true)
    }

    /// Gives it up; answers whether there was any.
    pub(super) fn release(&mut self, disk: &dyn Disk) -> io::Result<bool> {
        if std::mem::take(&mut self.bytes) == 0 {
            return Ok(false);
        }
        disk.remove(NAME)?;
        Ok(true)
    }
}
