//! Space on the disk: taking something away writes too, and some stores do not even open on a full disk. So a file is kept
//! that is given up when space is short; from then on only what takes away is kept, until there is enough again.

use std::fs::{self, File};
use std::io::{self, Read as _};
use std::path::{Path, PathBuf};

/// That file.
#[derive(Debug)]
pub(super) struct Reserve {
    path: PathBuf,
    bytes: u64,
}

impl Reserve {
    pub(super) fn new(path: PathBuf, bytes: u64) -> Self {
        Self { path, bytes }
    }

    /// Whether there is less than `need` beside it. Gives it up where even half of that is not there, and makes it where
    /// it fits.
    pub(super) fn is_needed(&self, need: u64) -> io::Result<bool> {
        let folder = self.path.parent().unwrap_or(&self.path);
        self.is_needed_with(free_bytes(folder)?, need)
    }

    /// Bytes that can be written beside it.
    #[cfg(feature = "sled")]
    pub(super) fn free_bytes(&self) -> io::Result<u64> {
        free_bytes(self.path.parent().unwrap_or(&self.path))
    }

    fn is_needed_with(&self, free: u64, need: u64) -> io::Result<bool> {
        let is_there = self.path.exists();
        if is_there && free < need / 2 {
            tracing::warn!(reserve = %self.path.display(), "the disk is full: only what takes away is kept");
            self.remove()?;
            return Ok(true);
        }
        if is_there || free < need.saturating_add(self.bytes) {
            return Ok(!is_there || free < need);
        }
        if self.make().is_err() {
            // Somebody else took the space at this moment.
            self.remove()?;
            return Ok(true);
        }
        Ok(false)
    }

    fn make(&self) -> io::Result<()> {
        let mut options = File::options();
        options.write(true).create(true).truncate(true);
        #[cfg(unix)]
        std::os::unix::fs::OpenOptionsExt::mode(&mut options, 0o600);
        let mut file = options.open(&self.path)?;
        #[cfg(target_os = "linux")]
        if rustix::fs::fallocate(&file, rustix::fs::FallocateFlags::empty(), 0, self.bytes).is_ok() {
            return Ok(());
        }
        io::copy(&mut io::repeat(0).take(self.bytes), &mut file)?;
        file.sync_data()
    }

    /// Fine if it is not there.
    pub(super) fn remove(&self) -> io::Result<()> {
        match fs::remove_file(&self.path) {
            Err(error) if error.kind() != io::ErrorKind::NotFound => Err(error),
            _ => Ok(()),
        }
    }
}

/// Bytes that this process can still write to the file system of this folder. Where that cannot be asked, as many as there
/// may be: a full disk is then noticed by the errors of those who write.
fn free_bytes(folder: &Path) -> io::Result<u64> {
    #[cfg(unix)]
    {
        let folder = if folder.as_os_str().is_empty() { Path::new(".") } else { folder };
        let figures = rustix::fs::statvfs(folder)?;
        Ok(figures.f_bavail.saturating_mul(figures.f_frsize))
    }
    #[cfg(not(unix))]
    {
        let _ = folder;
        Ok(u64::MAX)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const NEED: u64 = 100;

    #[test]
    fn it_is_given_up_when_space_is_short_and_made_again_when_there_is_enough() {
        let folder = tempfile::tempdir().unwrap();
        let reserve = Reserve::new(folder.path().join("reserve"), 1_000);
        let look = |free| (reserve.is_needed_with(free, NEED).unwrap(), reserve.path.exists());
        assert_eq!(look(500), (true, false), "a small disk: there is no space for one");
        assert_eq!(look(5_000), (false, true));
        assert_eq!(reserve.path.metadata().unwrap().len(), 1_000);
        assert_eq!(look(100), (false, true));
        assert_eq!(look(99), (true, true));
        assert_eq!(look(49), (true, false), "given up");
        assert_eq!(look(1_049), (true, false), "it is the reserve itself that is free now");
        assert_eq!(look(1_099), (true, false));
        assert_eq!(look(1_100), (false, true));
        reserve.remove().unwrap();
        reserve.remove().unwrap();
    }

    #[test]
    fn this_disk_has_space() {
        let folder = tempfile::tempdir().unwrap();
        let free = free_bytes(folder.path()).unwrap();
        assert!(free > 0);
        assert!(Reserve::new(folder.path().join("reserve"), 1).is_needed(u64::MAX - 1).unwrap());
    }
}
