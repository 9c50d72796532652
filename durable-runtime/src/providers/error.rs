//! How storage can fail.

use std::fmt;
use std::io;
use std::path::{Path, PathBuf};

use crate::ids::{EventId, ExecutionId, InstanceId, LockToken};

/// What went wrong in a store, to branch on.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
#[non_exhaustive]
pub enum ErrorKind {
    /// The store cannot be reached or written now.
    Unavailable,
    /// It is not known whether the transaction was kept; hand it over again under the same id.
    Ambiguous,
    /// A record is damaged.
    Corrupt,
    /// No space is left.
    Full,
    /// The store was closed.
    Closed,
    /// The request breaks a rule of the port.
    Invalid,
}

/// A store failed.
#[derive(Debug, thiserror::Error)]
#[error("{operation}{} failed: {message}", .instance.as_ref().map(|id| format!(" of instance `{id}`")).unwrap_or_default())]
pub struct ProviderError {
    kind: ErrorKind,
    operation: &'static str,
    instance: Option<InstanceId>,
    message: String,
    #[source]
    source: Option<Box<dyn std::error::Error + Send + Sync>>,
}

impl ProviderError {
    /// An error of this kind in this operation (`commit`, `read history` …).
    pub fn new(kind: ErrorKind, operation: &'static str, message: impl fmt::Display) -> Self {
        Self { kind, operation, instance: None, message: message.to_string(), source: None }
    }

    /// The instance it concerns.
    #[must_use]
    pub fn instance(mut self, instance: &InstanceId) -> Self {
        self.instance = Some(instance.clone());
        self
    }

    /// The error below.
    #[must_use]
    pub fn source(mut self, source: impl Into<Box<dyn std::error::Error + Send + Sync>>) -> Self {
        self.source = Some(source.into());
        self
    }

    /// What to branch on.
    pub const fn kind(&self) -> ErrorKind {
        self.kind
    }

    /// Whether trying again can help.
    pub const fn is_transient(&self) -> bool {
        matches!(self.kind, ErrorKind::Unavailable | ErrorKind::Ambiguous | ErrorKind::Full)
    }
}

/// A transaction was not kept.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum CommitError {
    /// The lease of the transaction has ended, or another one was granted since.
    #[error("the lease `{0}` has ended or passed to another worker")]
    LeaseLost(LockToken),
    /// A leased activity was cancelled, or its lease has ended.
    #[error("the activity leased as `{0}` was cancelled, or its lease has ended")]
    WorkGone(LockToken),
    /// The execution to be created is not the next one.
    #[error("instance `{instance}` has execution {newest} already")]
    ExecutionExists {
        /// The instance.
        instance: InstanceId,
        /// Its newest execution.
        newest: ExecutionId,
    },
    /// The events to be added do not follow those that are kept.
    #[error("the history of instance `{instance}` execution {execution_id} goes on at event {expected}, not {given}")]
    HistoryConflict {
        /// The instance.
        instance: InstanceId,
        /// The execution.
        execution_id: ExecutionId,
        /// The next id.
        expected: EventId,
        /// The first id of the transaction.
        given: EventId,
    },
    /// Something of an instance was to be changed that is not kept.
    #[error("instance `{0}` does not exist")]
    NoInstance(InstanceId),
    /// The store failed.
    #[error(transparent)]
    Provider(#[from] ProviderError),
}

/// A store could not be opened.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum OpenError {
    /// Another process (or another handle of this one) has it open.
    #[error("the store `{}` is held by {}; stop that process, or open another folder", .path.display(), holder(*.process))]
    Held {
        /// The folder.
        path: PathBuf,
        /// The process that holds it, as far as it can be told.
        process: Option<u32>,
    },
    /// The folder has files, but none of a store.
    #[error("`{}` is not a store: it has files, but no `{marker}`; name an empty or a new folder", .path.display())]
    NotAStore {
        /// The folder.
        path: PathBuf,
        /// The file by which a store is known.
        marker: &'static str,
    },
    /// It is a store of another kind.
    #[error("`{}` is a store of kind `{found}`, not `{wanted}`; open it with that provider, or name another folder", .path.display())]
    OtherStore {
        /// The folder.
        path: PathBuf,
        /// The kind it is of.
        found: String,
        /// The kind that was to be opened.
        wanted: &'static str,
    },
    /// It is on a file system of another machine, which does not promise what the store needs.
    #[error("`{}` is on a network file system (`{kind}`), which may lose what was acknowledged and does not keep two machines from opening it at once; name a folder on a disk of this machine", .path.display())]
    NetworkFileSystem {
        /// The folder.
        path: PathBuf,
        /// What the system calls the kind of the file system.
        kind: String,
    },
    /// The file is something else.
    #[error("`{}` is not a store but {found}; name another file", .path.display())]
    Foreign {
        /// The file.
        path: PathBuf,
        /// What it is, as far as it can be told.
        found: &'static str,
    },
    /// A newer version of this library wrote it.
    #[error("the store `{}` has format {found}, this version reads up to {supported}; update `durable-runtime`", .path.display())]
    NewerFormat {
        /// The folder.
        path: PathBuf,
        /// Its format.
        found: u32,
        /// The newest known one.
        supported: u32,
    },
    /// Its format is one that no version of this library has.
    #[error("the store `{}` has format `{found}`, which no version of `durable-runtime` has written (this one reads 1 to {supported}); restore it from a backup", .path.display())]
    UnknownFormat {
        /// The folder or file.
        path: PathBuf,
        /// What stands there.
        found: String,
        /// The newest known one.
        supported: u32,
    },
    /// The engine below wrote it with other settings than this version has.
    #[error("the store `{}` was written with other settings than this version has: {message}; open it with the version that wrote it, and move its instances by an export", .path.display())]
    OtherSettings {
        /// The folder.
        path: PathBuf,
        /// What differs.
        message: String,
    },
    /// This process may not write there, or nobody may.
    #[error("the store `{}` is read-only for this process: {source}; give it the right to write to the folder and all files in it, or copy the store to where it may", .path.display())]
    ReadOnly {
        /// The folder or file.
        path: PathBuf,
        /// What the system says.
        source: io::Error,
    },
    /// The folder cannot be made or written.
    #[error("the store `{}` cannot be written: {source}; name a place where this process can make folders and files, with space left", .path.display())]
    Unwritable {
        /// The folder.
        path: PathBuf,
        /// Why.
        source: io::Error,
    },
    /// The files are damaged.
    #[error("the store `{}` is damaged: {message}; restore it from a backup", .path.display())]
    Corrupt {
        /// The folder.
        path: PathBuf,
        /// What is wrong.
        message: String,
    },
}

impl OpenError {
    /// What the system says when a file or folder of a store is opened, made or written.
    pub(crate) fn of_system(path: &Path, source: io::Error) -> Self {
        let path = path.to_owned();
        match source.kind() {
            io::ErrorKind::PermissionDenied | io::ErrorKind::ReadOnlyFilesystem => Self::ReadOnly { path, source },
            _ => Self::Unwritable { path, source },
        }
    }
}

fn holder(process: Option<u32>) -> String {
    match process {
        Some(id) => format!("process {id}"),
        None => "another process".to_owned(),
    }
}
