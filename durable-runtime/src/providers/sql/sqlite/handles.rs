//! Who has the store open. Each opening holds a lock on a file of its own beside the store, `<store>-handle-<n>`: the
//! system frees it when the process ends, however it ends, so others can tell that its leases are nobody's any more.
//!
//! The file also says how many commits the disk has. It is written after each, and not synced, so it never says more
//! than is there, even after a power cut. If the log of the last commits is gone or damaged after a crash, SQLite drops
//! them without a word; this number tells.

use std::fs::{self, File};
use std::io::{self, Read, Seek, Write};
use std::path::{Path, PathBuf};

use super::session::reserve_of;
use crate::providers::sql::writer::Dialect;

/// Opening number `n` of a store.
#[derive(Debug)]
pub(super) struct Handle {
    store: PathBuf,
    number: u64,
    file: File,
    /// It has ended in order, and its file with it.
    left: bool,
}

/// An opening that ended without a word.
pub(super) struct Dead {
    pub(super) number: u64,
    /// How many commits the disk had by then, as far as it is known.
    pub(super) commits: u64,
}

impl Handle {
    /// To be called while no other process can begin to write, so that nobody sees the number without the lock.
    pub(super) fn take(store: &Path, number: u64) -> io::Result<Self> {
        let mut options = File::options();
        options.read(true).write(true).create(true).truncate(true);
        #[cfg(unix)]
        std::os::unix::fs::OpenOptionsExt::mode(&mut options, 0o600);
        let file = options.open(path_of(store, number))?;
        file.try_lock()?;
        Ok(Self { store: store.to_owned(), number, file, left: false })
    }
}

impl Dialect for Handle {
    fn handle(&self) -> u64 {
        self.number
    }

    fn kept(&mut self, commits: u64) {
        let number = commits.to_be_bytes();
        let mark = [number.as_slice(), &crc32c::crc32c(&number).to_be_bytes()].concat();
        let written = self.file.rewind().and_then(|()| self.file.write_all(&mark));
        if let Err(error) = written {
            tracing::warn!(%error, "the mark beside the store cannot be written");
        }
    }

    fn is_gone(&mut self, handle: u64) -> bool {
        match File::options().write(true).open(path_of(&self.store, handle)) {
            Ok(file) => file.try_lock().is_ok(),
            Err(error) => error.kind() == io::ErrorKind::NotFound,
        }
    }

    fn buried(&mut self, handle: u64) {
        self.left |= handle == self.number;
        remove(&self.store, handle);
        if self.left
            && let Err(error) = reserve_of(&self.store).remove()
        {
            tracing::warn!(%error, "the reserve beside the store cannot be removed");
        }
    }
}

impl Drop for Handle {
    fn drop(&mut self) {
        // Closing the file is not enough: a process that another thread is just starting has a copy of it until it
        // becomes the new program, and the lock would last as long.
        let _ = self.file.unlock();
    }
}

/// The openings whose files are still there, though nobody holds them.
pub(super) fn dead(store: &Path) -> io::Result<Vec<Dead>> {
    let (Some(folder), Some(name)) = (store.parent(), store.file_name()) else { return Ok(Vec::new()) };
    let prefix = format!("{}-handle-", name.to_string_lossy());
    let folder = if folder.as_os_str().is_empty() { Path::new(".") } else { folder };
    let mut dead = Vec::new();
    for entry in fs::read_dir(folder)? {
        let entry = entry?;
        let name = entry.file_name();
        let Some(number) = name.to_string_lossy().strip_prefix(&prefix).and_then(|number| number.parse().ok()) else {
            continue;
        };
        // It may go away at this very moment.
        let Ok(mut file) = File::options().read(true).write(true).open(entry.path()) else { continue };
        if file.try_lock().is_ok() {
            dead.push(Dead { number, commits: mark_of(&mut file).unwrap_or_default() });
        }
    }
    Ok(dead)
}

/// Those of these openings whose files are gone: after a power cut, or because somebody removed them.
pub(super) fn lost(store: &Path, handles: &[u64]) -> Vec<u64> {
    handles.iter().copied().filter(|handle| !path_of(store, *handle).exists()).collect()
}

/// Removes what a dead opening left beside the store.
pub(super) fn remove(store: &Path, handle: u64) {
    if let Err(error) = fs::remove_file(path_of(store, handle))
        && error.kind() != io::ErrorKind::NotFound
    {
        tracing::warn!(%error, handle, "a file beside the store cannot be removed");
    }
}

fn mark_of(file: &mut File) -> Option<u64> {
    let (mut number, mut sum) = ([0; 8], [0; 4]);
    file.read_exact(&mut number).ok()?;
    file.read_exact(&mut sum).ok()?;
    (crc32c::crc32c(&number).to_be_bytes() == sum).then(|| u64::from_be_bytes(number))
}

fn path_of(store: &Path, handle: u64) -> PathBuf {
    let mut path = store.as_os_str().to_owned();
    path.push(format!("-handle-{handle}"));
    path.into()
}
