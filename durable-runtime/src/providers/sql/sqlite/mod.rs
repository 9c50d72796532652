//! A store in one file of SQLite.
//!
//! The log of changes is synced before a commit is answered (`synchronous=FULL`), except for leases, which nobody holds
//! after a power cut. What else stands beside the file is said in `handles`.

mod handles;
mod maintain;
#[cfg(test)]
mod power_cut;
mod schema;
mod session;

use std::fs::{self, File};
use std::io;
use std::path::{Path, PathBuf};
use std::sync::Arc;

use self::handles::{Dead, Handle};
use self::schema::Refused;
use self::session::{Settings, SqliteSession};
use super::counters::Counters;
use super::engine::SqlProvider;
use super::readers::Connect;
use super::session::{Session, SqlError};
use super::writer::{bury, others};
use crate::clock::{Clock, SystemClock};
use crate::providers::{Capabilities, Durability, ErrorKind, OpenError};

/// Fences of one opening stand below the next multiple: leases are not synced, and yet none is granted twice.
const FENCES_PER_OPENING: u64 = 1 << 32;
const ENTER: &str = "INSERT INTO handles (handle, process) VALUES (?1, ?2)";

/// Says that instances are kept by SQLite.
#[derive(Debug)]
pub enum Sqlite {}

/// Keeps instances in a file of SQLite, which several processes of this machine may use at once.
///
/// Every acknowledgement is on disk (the log of changes is synced before it). Processes see each other's work within
/// milliseconds; what a killed one had leased is free as soon as another one notices, and what a stopped one had when
/// its lease ends. Beside the file stand SQLite's `-wal` and `-shm`, one `-handle-<n>` for each opening, and
/// `-reserve`, which is given up when the disk is full: they belong to the store, and are gone when it is closed. The file must be on a disk of this machine, not on a network.
///
/// ```
/// use durable_runtime::providers::{Provider, SqliteProvider};
/// # #[tokio::main(flavor = "current_thread")]
/// # async fn main() -> Result<(), Box<dyn std::error::Error>> {
/// # let folder = tempfile::tempdir()?;
/// # let path = folder.path().join("orders.db");
///
/// let store = SqliteProvider::open(&path)?;
/// let beside = SqliteProvider::open(&path)?; // as another process would
/// assert!(store.capabilities().shared);
/// assert_eq!(beside.stats().await?.instances, 0);
/// # Ok(()) }
/// ```
pub type SqliteProvider = SqlProvider<Sqlite>;

impl SqlProvider<Sqlite> {
    /// Opens the store in this file, and makes it if it is not there.
    ///
    /// # Errors
    /// [`OpenError`], which says what is wrong with the file.
    pub fn open(path: impl AsRef<Path>) -> Result<Self, OpenError> {
        Self::options().open(path)
    }

    /// What can be chosen when a store is opened.
    pub fn options() -> SqliteOptions {
        SqliteOptions {
            durability: Durability::Immediate,
            settings: Settings { cache_bytes: 16 * 1024 * 1024, checkpoint_pages: 8_000, bytes_max: None },
            check: true,
            clock: Arc::new(SystemClock),
        }
    }
}

/// How a store is opened.
#[must_use = "nothing is opened before `open`"]
#[derive(Clone)]
pub struct SqliteOptions {
    durability: Durability,
    settings: Settings,
    check: bool,
    clock: Arc<dyn Clock>,
}

impl SqliteOptions {
    /// When a transaction counts as kept; [`Durability::Immediate`] unless said otherwise. With the others a power cut
    /// may lose the last transactions, but never the store.
    pub const fn durability(mut self, durability: Durability) -> Self {
        self.durability = durability;
        self
    }

    /// How much each of the three connections keeps in memory; 16 MiB unless said otherwise.
    pub const fn cache_bytes(mut self, bytes: u64) -> Self {
        self.settings.cache_bytes = bytes;
        self
    }

    /// How large the file may become; as large as the disk unless said otherwise. What does not fit is refused with
    /// [`ErrorKind::Full`](crate::providers::ErrorKind::Full), as on a full disk; deleting makes room again.
    pub const fn bytes_max(mut self, bytes: u64) -> Self {
        self.settings.bytes_max = Some(bytes);
        self
    }

    /// Whether the whole file is read and checked when it is opened; yes unless said otherwise. That finds pages that
    /// were damaged while nobody looked, and takes one or two seconds for each gigabyte. Damaged records are found either
    /// way, when they are read.
    pub const fn check(mut self, check: bool) -> Self {
        self.check = check;
        self
    }

    /// The clock that decides what is due; that of the machine unless said otherwise.
    pub fn clock(mut self, clock: impl Clock) -> Self {
        self.clock = Arc::new(clock);
        self
    }

    /// Opens the store in this file, and makes it if it is not there.
    ///
    /// # Errors
    /// As [`SqliteProvider::open`](SqlProvider::open).
    pub fn open(self, path: impl AsRef<Path>) -> Result<SqliteProvider, OpenError> {
        let path = path.as_ref();
        let unwritable = |source| OpenError::of_system(path, source);
        create(path).map_err(unwritable)?;
        let store = path.canonicalize().map_err(unwritable)?;
        let mut session = SqliteSession::open(&store, self.settings).map_err(|error| refused(path, error))?;
        schema::bring_up(session.connection(), path).map_err(|error| match error {
            Refused::Sqlite(error) => refused(path, error),
            Refused::Open(error) => error,
        })?;
        if self.check {
            check(&mut session).map_err(|error| failed(path, error))?;
        }
        let handle = enter(&mut session, &store).map_err(|error| failed(path, error))?;
        let capabilities = Capabilities::new("sqlite").persistent(self.durability).shared();
        let connect = connector(store, self.settings);
        SqlProvider::start(Box::new(session), Box::new(handle), connect, self.clock, capabilities).map_err(unwritable)
    }
}

impl std::fmt::Debug for SqliteOptions {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        let Self { durability, settings, check, .. } = self;
        f.debug_struct("SqliteOptions")
            .field("durability", durability)
            .field("cache_bytes", &settings.cache_bytes)
            .field("check", check)
            .finish_non_exhaustive()
    }
}

/// Makes the file, for nobody else to read. One that is there is left alone: closing it would free SQLite's locks.
fn create(path: &Path) -> io::Result<()> {
    if let Some(parent) = path.parent().filter(|parent| !parent.as_os_str().is_empty()) {
        let mut builder = fs::DirBuilder::new();
        builder.recursive(true);
        #[cfg(unix)]
        std::os::unix::fs::DirBuilderExt::mode(&mut builder, 0o700);
        builder.create(parent)?;
    }
    if path.is_dir() {
        return Err(io::Error::new(io::ErrorKind::IsADirectory, "it is a folder; name a file"));
    }
    let mut options = File::options();
    options.write(true).create_new(true);
    #[cfg(unix)]
    std::os::unix::fs::OpenOptionsExt::mode(&mut options, 0o600);
    match options.open(path) {
        Err(error) if error.kind() == io::ErrorKind::AlreadyExists => Ok(()),
        made => made.map(drop),
    }
}

fn connector(store: PathBuf, settings: Settings) -> Arc<Connect> {
    Arc::new(move || {
        let session = SqliteSession::open(&store, settings).map_err(session::error)?;
        Ok(Box::new(session))
    })
}

/// Reads the whole file.
fn check(session: &mut SqliteSession) -> Result<(), SqlError> {
    let mut found = Ok(());
    session.query("PRAGMA integrity_check(1)", &[], &mut |row| {
        let text = row.maybe_text(0)?.unwrap_or_default();
        if text != "ok" {
            found = Err(SqlError::damaged(text));
        }
        Ok(())
    })?;
    found
}

/// Takes the next number as an opening of the store, and gives back what dead ones had in hand.
fn enter(session: &mut SqliteSession, store: &Path) -> Result<Handle, SqlError> {
    session.begin_write(true)?;
    let entered = enter_written(session, store);
    let (handle, dead) = match entered.and_then(|entered| session.commit().map(|()| entered)) {
        Ok(entered) => entered,
        Err(error) => {
            session.roll_back();
            return Err(error);
        }
    };
    dead.iter().for_each(|dead| handles::remove(store, dead.number));
    Ok(handle)
}

fn enter_written(session: &mut SqliteSession, store: &Path) -> Result<(Handle, Vec<Dead>), SqlError> {
    let of_system = |error: io::Error| SqlError::new(ErrorKind::Unavailable, error);
    let mut counters = Counters::read(session)?;
    let dead = handles::dead(store).map_err(of_system)?;
    if dead.iter().any(|dead| dead.commits > counters.commits) {
        let message =
            "the last commits are gone: the log beside the file (`-wal`) was removed or damaged after a crash";
        return Err(SqlError::damaged(message));
    }
    let mut gone: Vec<u64> = dead.iter().map(|dead| dead.number).collect();
    gone.extend(handles::lost(store, &others(session, 0)?));
    for handle in gone {
        bury(session, handle)?;
    }
    counters.handles += 1;
    counters.fence = (counters.fence / FENCES_PER_OPENING + 1) * FENCES_PER_OPENING;
    let handle = Handle::take(store, counters.handles).map_err(of_system)?;
    session.execute(ENTER, &[counters.handles.into(), u64::from(std::process::id()).into()])?;
    counters.write(session)?;
    Ok((handle, dead))
}

fn refused(path: &Path, error: rusqlite::Error) -> OpenError {
    use rusqlite::ErrorCode::{DatabaseBusy, DatabaseLocked, NotADatabase, PermissionDenied, ReadOnly};
    let owned = || path.to_owned();
    match error.sqlite_error_code() {
        Some(NotADatabase) => OpenError::Foreign { path: owned(), found: "a file of something else" },
        Some(DatabaseBusy | DatabaseLocked) => OpenError::Held { path: owned(), process: None },
        Some(ReadOnly | PermissionDenied) => OpenError::ReadOnly { path: owned(), source: io::Error::other(error) },
        _ => failed(path, session::error(error)),
    }
}

fn failed(path: &Path, error: SqlError) -> OpenError {
    let below = std::error::Error::source(&error).and_then(|source| source.downcast_ref::<rusqlite::Error>());
    let code = below.and_then(rusqlite::Error::sqlite_error_code);
    let path = path.to_owned();
    match error.kind {
        _ if code == Some(rusqlite::ErrorCode::DatabaseBusy) => OpenError::Held { path, process: None },
        ErrorKind::Corrupt => OpenError::Corrupt { path, message: error.to_string() },
        ErrorKind::Full => OpenError::Unwritable { path, source: io::Error::new(io::ErrorKind::StorageFull, error) },
        _ => OpenError::Unwritable { path, source: io::Error::other(error) },
    }
}
