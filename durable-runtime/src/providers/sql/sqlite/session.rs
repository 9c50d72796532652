//! A connection to a file of SQLite.

use std::path::{Path, PathBuf};
use std::time::Duration;
use std::{fs, io};

use bytes::Bytes;
use rusqlite::types::{ToSqlOutput, ValueRef};
use rusqlite::{Connection, ErrorCode, OpenFlags, ToSql};

use crate::providers::ErrorKind;
use crate::providers::space::Reserve;
use crate::providers::sql::session::{Param, Row, Session, SqlError};

/// How long a statement waits for another process that writes.
const BUSY: Duration = Duration::from_secs(5);
/// How often a transaction is begun anew after that.
const BEGIN_MAX: u32 = 3;
/// All statements are constants, and all stay prepared.
const STATEMENTS: usize = 128;
/// A longer log is cut after that.
const LOG_BYTES_MAX: i64 = 64 << 20;
/// Free pages are given back to the disk when there are so many, and more than a quarter of all.
const FREE_PAGES: i64 = 1_024;

/// The reserve of a store: it stands beside it while it is open.
pub(super) fn reserve_of(store: &Path) -> Reserve {
    Reserve::new(beside(store, "-reserve"), RESERVE_BYTES)
}

fn beside(store: &Path, what: &str) -> PathBuf {
    let mut name = store.as_os_str().to_owned();
    name.push(what);
    name.into()
}

const RESERVE_BYTES: u64 = 4 << 20;
/// With less space on the disk, beside what the log takes once more when it is moved into the file, only what takes away
/// is kept: that needs space too.
const SPACE_BYTES_MIN: u64 = 4 << 20;

/// How a connection is to be.
#[derive(Debug, Clone, Copy)]
pub(super) struct Settings {
    pub(super) cache_bytes: u64,
    /// How many pages the log of changes has before they are moved into the file.
    pub(super) checkpoint_pages: i64,
    /// How large the file may become.
    pub(super) bytes_max: Option<u64>,
}

const PAGE_BYTES: u64 = 4_096;

/// See the module.
pub(super) struct SqliteSession {
    connection: Connection,
    /// Whether commits wait for the disk at present.
    syncs: bool,
    log: PathBuf,
    reserve: Reserve,
}

impl SqliteSession {
    /// Opens the file, which is there.
    pub(super) fn open(path: &Path, settings: Settings) -> rusqlite::Result<Self> {
        let flags = OpenFlags::SQLITE_OPEN_READ_WRITE | OpenFlags::SQLITE_OPEN_NO_MUTEX;
        let connection = Connection::open_with_flags(path, flags)?;
        // What may not be written is opened all the same, and fails at some later moment.
        if connection.is_readonly("main")? {
            let message = "the file, or the file system it is on, may not be written".to_owned();
            return Err(rusqlite::Error::SqliteFailure(rusqlite::ffi::Error::new(8), Some(message)));
        }
        connection.busy_timeout(BUSY)?;
        connection.set_prepared_statement_cache_capacity(STATEMENTS);
        connection.pragma_update(None, "cell_size_check", true)?;
        connection.pragma_update(None, "trusted_schema", false)?;
        connection.pragma_update(None, "temp_store", "memory")?;
        connection.pragma_update(
            None,
            "cache_size",
            -i64::try_from(settings.cache_bytes / 1024).unwrap_or(i64::MAX),
        )?;
        connection.pragma_update(None, "page_size", PAGE_BYTES as i64)?;
        // Has an effect on a file that is still empty only.
        connection.pragma_update(None, "auto_vacuum", "incremental")?;
        let mode: String = connection.pragma_update_and_check(None, "journal_mode", "wal", |row| row.get(0))?;
        if mode != "wal" {
            let message = "the file system has no shared memory, which a write-ahead log needs".to_owned();
            return Err(rusqlite::Error::SqliteFailure(rusqlite::ffi::Error::new(14), Some(message)));
        }
        connection.pragma_update(None, "synchronous", "full")?;
        connection.pragma_update(None, "wal_autocheckpoint", settings.checkpoint_pages)?;
        connection.pragma_update(None, "journal_size_limit", LOG_BYTES_MAX)?;
        if let Some(bytes) = settings.bytes_max {
            let pages = i64::try_from(bytes / PAGE_BYTES).unwrap_or(i64::MAX).max(1);
            connection.pragma_update_and_check(None, "max_page_count", pages, |_| Ok(()))?;
        }
        Ok(Self { connection, syncs: true, log: beside(path, "-wal"), reserve: reserve_of(path) })
    }

    pub(super) fn connection(&mut self) -> &mut Connection {
        &mut self.connection
    }

    /// Whether the log can grow, and all that is in it be moved into the file.
    fn has_space(&self) -> Result<bool, SqlError> {
        let of_system = |error: io::Error| SqlError::new(ErrorKind::Unavailable, error);
        let log = fs::metadata(&self.log).map_or(0, |log| log.len());
        Ok(!self.reserve.is_needed(log + SPACE_BYTES_MIN).map_err(of_system)?)
    }

    /// Moves what is in the log into the file, unless somebody still reads it.
    fn empty_log(&mut self) -> Result<(), SqlError> {
        self.query("PRAGMA wal_checkpoint(TRUNCATE)", &[], &mut |_| Ok(()))
    }

    fn number(&self, pragma: &str) -> rusqlite::Result<i64> {
        self.connection.pragma_query_value(None, pragma, |row| row.get(0))
    }
}

impl Session for SqliteSession {
    fn execute(&mut self, sql: &'static str, params: &[Param<'_>]) -> Result<usize, SqlError> {
        let mut statement = self.connection.prepare_cached(sql).map_err(error)?;
        statement.execute(rusqlite::params_from_iter(params)).map_err(error)
    }

    fn query(
        &mut self,
        sql: &'static str,
        params: &[Param<'_>],
        each: &mut dyn FnMut(&dyn Row) -> Result<(), SqlError>,
    ) -> Result<(), SqlError> {
        let mut statement = self.connection.prepare_cached(sql).map_err(error)?;
        let mut rows = statement.query(rusqlite::params_from_iter(params)).map_err(error)?;
        while let Some(row) = rows.next().map_err(error)? {
            each(row)?;
        }
        Ok(())
    }

    fn begin_read(&mut self) -> Result<(), SqlError> {
        self.execute("BEGIN", &[]).map(drop)
    }

    fn begin_write(&mut self, sync: bool) -> Result<(), SqlError> {
        if sync != self.syncs {
            self.execute(if sync { "PRAGMA synchronous = full" } else { "PRAGMA synchronous = normal" }, &[])?;
            self.syncs = sync;
        }
        let mut tries = 1;
        loop {
            match self.execute("BEGIN IMMEDIATE", &[]) {
                // SQLite has waited already; the other process may be stopped, or write a great deal.
                Err(error) if error.kind == ErrorKind::Unavailable && tries < BEGIN_MAX => tries += 1,
                other => return other.map(drop),
            }
        }
    }

    fn commit(&mut self) -> Result<(), SqlError> {
        self.execute("COMMIT", &[]).map(drop)
    }

    fn roll_back(&mut self) {
        if self.is_open() {
            // The connection is not used again where this fails.
            let _failed = self.execute("ROLLBACK", &[]);
        }
    }

    fn is_open(&self) -> bool {
        !self.connection.is_autocommit()
    }

    fn version(&mut self) -> Result<u64, SqlError> {
        let mut version = 0;
        self.query("PRAGMA data_version", &[], &mut |row| {
            version = row.number(0)?;
            Ok(())
        })?;
        Ok(version)
    }

    fn is_full(&mut self) -> Result<bool, SqlError> {
        if self.has_space()? {
            return Ok(false);
        }
        // What was taken away is space that only this file can use: the disk gets it back, a little at a time, since that
        // takes space too.
        while self.number("freelist_count").map_err(error)? > 0 {
            self.query("PRAGMA incremental_vacuum(64)", &[], &mut |_| Ok(()))?;
            self.empty_log()?;
            if self.has_space()? {
                return Ok(false);
            }
        }
        self.empty_log()?;
        Ok(!self.has_space()?)
    }

    fn tidy(&mut self) -> Result<bool, SqlError> {
        let (free, all) = (self.number("freelist_count").map_err(error)?, self.number("page_count").map_err(error)?);
        if free < FREE_PAGES || free * 4 < all {
            return Ok(false);
        }
        // Each row is a page given back.
        self.query("PRAGMA incremental_vacuum(256)", &[], &mut |_| Ok(()))?;
        Ok(true)
    }
}

impl ToSql for Param<'_> {
    fn to_sql(&self) -> rusqlite::Result<ToSqlOutput<'_>> {
        Ok(ToSqlOutput::Borrowed(match self {
            Self::Null => ValueRef::Null,
            Self::Int(number) => ValueRef::Integer(*number),
            Self::Text(text) => ValueRef::Text(text.as_bytes()),
            Self::Blob(bytes) => ValueRef::Blob(bytes),
        }))
    }
}

impl Row for rusqlite::Row<'_> {
    fn maybe_number(&self, column: usize) -> Result<Option<u64>, SqlError> {
        match self.get_ref(column).map_err(error)? {
            ValueRef::Null => Ok(None),
            ValueRef::Integer(number) => {
                u64::try_from(number).map(Some).map_err(|_| SqlError::damaged("a number is negative"))
            }
            _ => Err(SqlError::damaged("a number is none")),
        }
    }

    fn maybe_text(&self, column: usize) -> Result<Option<&str>, SqlError> {
        match self.get_ref(column).map_err(error)? {
            ValueRef::Null => Ok(None),
            ValueRef::Text(bytes) => {
                std::str::from_utf8(bytes).map(Some).map_err(|_| SqlError::damaged("a text is none"))
            }
            _ => Err(SqlError::damaged("a text is none")),
        }
    }

    fn maybe_bytes(&self, column: usize) -> Result<Option<Bytes>, SqlError> {
        match self.get_ref(column).map_err(error)? {
            ValueRef::Null => Ok(None),
            ValueRef::Blob(bytes) => Ok(Some(Bytes::copy_from_slice(bytes))),
            _ => Err(SqlError::damaged("bytes are none")),
        }
    }
}

/// As an error of the port.
pub(super) fn error(error: rusqlite::Error) -> SqlError {
    let kind = match error.sqlite_error_code() {
        Some(ErrorCode::DatabaseCorrupt | ErrorCode::NotADatabase) => ErrorKind::Corrupt,
        Some(ErrorCode::DiskFull) => ErrorKind::Full,
        _ => ErrorKind::Unavailable,
    };
    SqlError::new(kind, error)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn free_pages_are_given_back_a_few_at_a_time() {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("file.db");
        std::fs::write(&path, "").unwrap();
        let settings = Settings { cache_bytes: 1 << 20, checkpoint_pages: 8_000, bytes_max: None };
        let mut session = SqliteSession::open(&path, settings).unwrap();
        session.execute("CREATE TABLE much (data BLOB)", &[]).unwrap();
        let megabyte = vec![7; 1 << 20];
        for _ in 0..8 {
            session.execute("INSERT INTO much (data) VALUES (?1)", &[megabyte.as_slice().into()]).unwrap();
        }
        assert!(!session.tidy().unwrap(), "nothing is free");
        session.execute("DELETE FROM much WHERE rowid > 1", &[]).unwrap();
        let free = session.number("freelist_count").unwrap();
        assert!(free > FREE_PAGES);
        assert!(session.tidy().unwrap());
        assert_eq!(session.number("freelist_count").unwrap(), free - 256);
        while session.tidy().unwrap() {}
        assert!(session.number("freelist_count").unwrap() <= FREE_PAGES);
    }
}
