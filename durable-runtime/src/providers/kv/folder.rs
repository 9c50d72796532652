//! The folder of a store: known by its marker, held by a lock file that names the process.
//!
//! ```text
//! <path>/durable.json    the marker, with the format of the folder and what kind of store it is
//! <path>/lock            held while the store is open; its text is the number of the process
//! <path>/sled/           the keys, or
//! <path>/journal/        the keys, and
//! <path>/instances/      histories a person can read
//! ```

use std::fs::{self, File, TryLockError};
use std::io::{self, Read, Seek, Write};
use std::path::{Path, PathBuf};

use crate::providers::OpenError;

const MARKER: &str = "durable.json";
const NEW_MARKER: &str = "durable.json.new";
const LOCK: &str = "lock";
const FORMAT: u32 = 1;

/// A folder that nobody else can open as a store while this is there.
#[derive(Debug)]
pub(super) struct Folder {
    path: PathBuf,
    lock: File,
}

#[derive(serde::Serialize, serde::Deserialize)]
struct Marker {
    format: serde_json::Value,
    /// Which kind of store it is; stores of sled did not always say so.
    #[serde(default = "sled")]
    store: String,
}

fn sled() -> String {
    "sled".to_owned()
}

impl Folder {
    /// Takes the folder for a store of this kind, and makes it if it is not there.
    pub(super) fn take(path: &Path, kind: &'static str) -> Result<Self, OpenError> {
        let unwritable = |source| OpenError::of_system(path, source);
        create(path).map_err(unwritable)?;
        refuse_foreign(path)?;
        let folder = Self { path: path.to_owned(), lock: lock(path)? };
        // Looked at under the lock: two processes may make the folder at once.
        match fs::read(path.join(MARKER)) {
            Ok(bytes) => check_marker(path, kind, &bytes)?,
            Err(error) if error.kind() == io::ErrorKind::NotFound => write_marker(path, kind).map_err(unwritable)?,
            Err(error) => return Err(unwritable(error)),
        }
        Ok(folder)
    }

    pub(super) fn path(&self) -> &Path {
        &self.path
    }

    /// A folder in it.
    pub(super) fn below(&self, name: &str) -> PathBuf {
        self.path.join(name)
    }
}

impl Drop for Folder {
    fn drop(&mut self) {
        // Closing the file is not enough: a process that another thread is just starting has a copy of it until it
        // becomes the new program, and the lock would last as long.
        let _ = self.lock.unlock();
    }
}

pub(super) fn create(path: &Path) -> io::Result<()> {
    let mut builder = fs::DirBuilder::new();
    builder.recursive(true);
    #[cfg(unix)]
    std::os::unix::fs::DirBuilderExt::mode(&mut builder, 0o700);
    builder.create(path)
}

/// A folder with files and no marker is somebody else's.
fn refuse_foreign(path: &Path) -> Result<(), OpenError> {
    let names = || -> io::Result<Vec<_>> { fs::read_dir(path)?.map(|entry| Ok(entry?.file_name())).collect() };
    let names = names().map_err(|source| OpenError::of_system(path, source))?;
    // What a store that was stopped while it was made may have left behind is no reason to refuse.
    let is_ours =
        names.iter().any(|name| name == MARKER) || names.iter().all(|name| name == LOCK || name == NEW_MARKER);
    if is_ours { Ok(()) } else { Err(OpenError::NotAStore { path: path.to_owned(), marker: MARKER }) }
}

fn lock(path: &Path) -> Result<File, OpenError> {
    let unwritable = |source| OpenError::of_system(path, source);
    let mut options = File::options();
    let mut file =
        options.read(true).write(true).create(true).truncate(false).open(path.join(LOCK)).map_err(unwritable)?;
    match file.try_lock() {
        Ok(()) => {
            let mut name = || {
                file.set_len(0)?;
                file.rewind()?;
                write!(file, "{}", std::process::id())
            };
            name().map_err(unwritable)?;
            Ok(file)
        }
        Err(TryLockError::WouldBlock) => {
            let mut text = String::new();
            let read = file.read_to_string(&mut text);
            let process = read.ok().and_then(|_| text.trim().parse().ok());
            Err(OpenError::Held { path: path.to_owned(), process })
        }
        Err(TryLockError::Error(error)) => Err(unwritable(error)),
    }
}

fn check_marker(path: &Path, kind: &'static str, bytes: &[u8]) -> Result<(), OpenError> {
    let marker: Marker = serde_json::from_slice(bytes)
        .map_err(|error| OpenError::Corrupt { path: path.to_owned(), message: format!("`{MARKER}`: {error}") })?;
    let (path, supported) = (path.to_owned(), FORMAT);
    match marker.format.as_u64().and_then(|format| u32::try_from(format).ok()) {
        Some(found) if found > FORMAT => return Err(OpenError::NewerFormat { path, found, supported }),
        Some(1..) => {}
        _ => return Err(OpenError::UnknownFormat { path, found: marker.format.to_string(), supported }),
    }
    if marker.store != kind {
        return Err(OpenError::OtherStore { path, found: marker.store, wanted: kind });
    }
    Ok(())
}

fn write_marker(path: &Path, kind: &str) -> io::Result<()> {
    let new = path.join(NEW_MARKER);
    let mut file = File::create(&new)?;
    serde_json::to_writer(&mut file, &Marker { format: FORMAT.into(), store: kind.to_owned() })?;
    file.sync_all()?;
    fs::rename(new, path.join(MARKER))?;
    sync_folder(path)?;
    // The folder itself is an entry of the one above.
    path.canonicalize()?.parent().map_or(Ok(()), sync_folder)
}

/// Makes the entries of a folder durable.
pub(super) fn sync_folder(path: &Path) -> io::Result<()> {
    // On Windows folders cannot be opened so, and need not be.
    if cfg!(unix) { File::open(path)?.sync_all() } else { Ok(()) }
}
