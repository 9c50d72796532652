//! Why a journal could not be opened.

use std::io;
use std::path::Path;

use super::super::store::StoreError;
use crate::providers::OpenError;

/// See the module.
#[derive(Debug, thiserror::Error)]
pub(super) enum Fault {
    #[error(transparent)]
    Io(#[from] io::Error),
    #[error("`{file}`, at byte {offset}: {what}")]
    Damaged { file: String, offset: u64, what: String },
    #[error("format {found}, not {supported}")]
    Newer { found: u32, supported: u32 },
}

impl Fault {
    pub(super) fn damaged(file: impl Into<String>, offset: u64, what: impl Into<String>) -> Self {
        Self::Damaged { file: file.into(), offset, what: what.into() }
    }

    /// As the error of a store in this folder.
    pub(super) fn of(self, path: &Path) -> OpenError {
        let owned = || path.to_owned();
        match self {
            Self::Io(source) => OpenError::of_system(path, source),
            Self::Newer { found, supported } => OpenError::NewerFormat { path: owned(), found, supported },
            damaged @ Self::Damaged { .. } => OpenError::Corrupt { path: owned(), message: damaged.to_string() },
        }
    }
}

impl From<StoreError> for Fault {
    fn from(error: StoreError) -> Self {
        match error {
            StoreError::Io(error) => Self::Io(error),
            other => Self::Io(io::Error::other(other.to_string())),
        }
    }
}

impl From<Fault> for StoreError {
    fn from(fault: Fault) -> Self {
        match fault {
            Fault::Io(error) => Self::Io(error),
            other => Self::Damaged(other.to_string()),
        }
    }
}
