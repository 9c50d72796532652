//! Looking through a store, copying it, making it small.

use std::fs::{self, File};
use std::io;
use std::path::{Path, PathBuf};

use async_trait::async_trait;

use super::super::doctor;
use super::super::engine::SqlProvider;
use super::super::session::{Session, Sql, SqlError};
use super::{Sqlite, SqliteProvider};
use crate::providers::{Checkup, ErrorKind, Maintain, OpenError, ProviderError};

const LOOK_THROUGH: &str = "look through";
const PARTIAL: &str = ".partial";

#[async_trait]
impl Maintain for SqlProvider<Sqlite> {
    async fn doctor(&self) -> Result<Checkup, ProviderError> {
        let check = |session: &mut dyn Session| {
            session.begin_read()?;
            let checkup = doctor::check(&mut Sql { session, operation: LOOK_THROUGH });
            session.roll_back();
            checkup.map_err(|error| SqlError::new(error.kind(), error))
        };
        self.aside(LOOK_THROUGH, check).await
    }

    async fn backup(&self, to: &Path) -> Result<(), ProviderError> {
        let to = to.to_owned();
        self.aside("back up", move |session| copy(session, &to)).await
    }

    /// A little at a time, so that commits are not kept waiting.
    async fn compact(&self) -> Result<(), ProviderError> {
        self.aside("compact", |session| {
            while free_pages(session)? > 0 {
                session.query("PRAGMA incremental_vacuum(1024)", &[], &mut |_| Ok(()))?;
            }
            session.query("PRAGMA wal_checkpoint(TRUNCATE)", &[], &mut |_| Ok(()))
        })
        .await
    }
}

impl SqlProvider<Sqlite> {
    /// Makes a store at this path, where nothing may be yet, from a copy that [`Maintain::backup`] made.
    ///
    /// # Errors
    /// [`OpenError::Corrupt`] if anything of the copy is damaged, with all that is; others as when a store is opened.
    pub fn restore(backup: impl AsRef<Path>, path: impl AsRef<Path>) -> Result<(), OpenError> {
        let (backup, path) = (backup.as_ref(), path.as_ref());
        let unwritable = |path: &Path, source| OpenError::Unwritable { path: path.to_owned(), source };
        if !backup.is_file() {
            return Err(unwritable(backup, io::Error::from(io::ErrorKind::NotFound)));
        }
        // As whoever opens it: a copy that is not a store, or is damaged, is refused with the reason.
        drop(SqliteProvider::open(backup)?);
        let settings = super::Settings { cache_bytes: 1 << 20, checkpoint_pages: 1_000, bytes_max: None };
        let mut session =
            super::SqliteSession::open(backup, settings).map_err(|error| super::refused(backup, error))?;
        let checkup = doctor::check(&mut Sql { session: &mut session, operation: LOOK_THROUGH });
        let corrupt = |message| OpenError::Corrupt { path: backup.to_owned(), message };
        let checkup = checkup.map_err(|error| corrupt(error.to_string()))?;
        if !checkup.is_sound() {
            return Err(corrupt(checkup.to_string()));
        }
        copy(&mut session, path).map_err(|error| unwritable(path, io::Error::other(error)))
    }
}

fn free_pages(session: &mut dyn Session) -> Result<u64, SqlError> {
    let mut pages = 0;
    session.query("PRAGMA freelist_count", &[], &mut |row| {
        pages = row.number(0)?;
        Ok(())
    })?;
    Ok(pages)
}

/// One state of the store, in a file that gets its name when it is whole and on the disk.
fn copy(session: &mut dyn Session, to: &Path) -> Result<(), SqlError> {
    let failed = |error: io::Error| SqlError::new(ErrorKind::Unavailable, error);
    if to.exists() {
        let message = format!("there is something at `{}`; name a path where nothing is", to.display());
        return Err(SqlError::again(ErrorKind::Invalid, &message));
    }
    super::create(to).map_err(failed)?;
    let partial = partial(to);
    let copied = copy_to(session, &partial).and_then(|()| {
        fs::rename(&partial, to).map_err(failed)?;
        sync_parent(to).map_err(failed)
    });
    if copied.is_err() {
        let _ = (fs::remove_file(&partial), fs::remove_file(to));
    }
    copied
}

fn copy_to(session: &mut dyn Session, partial: &Path) -> Result<(), SqlError> {
    let failed = |error: io::Error| SqlError::new(ErrorKind::Unavailable, error);
    let Some(name) = partial.to_str() else {
        return Err(SqlError::again(ErrorKind::Invalid, &"the path of a copy must be Unicode"));
    };
    if partial.exists() {
        fs::remove_file(partial).map_err(failed)?;
    }
    super::create(partial).map_err(failed)?;
    // Into an empty file, which nobody else may read.
    session.execute("VACUUM INTO ?1", &[name.into()])?;
    File::options().write(true).open(partial).and_then(|file| file.sync_all()).map_err(failed)
}

fn sync_parent(path: &Path) -> io::Result<()> {
    let path = path.canonicalize()?;
    match path.parent() {
        Some(parent) if cfg!(unix) => File::open(parent)?.sync_all(),
        _ => Ok(()),
    }
}

fn partial(to: &Path) -> PathBuf {
    let mut name = to.file_name().unwrap_or_default().to_owned();
    name.push(PARTIAL);
    to.with_file_name(name)
}
