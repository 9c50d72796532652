//! A store of files that can be understood: a journal, which is the truth, and histories a person can read.
//!
//! ```text
//! journal     the ordered store: append, sync, rotate      replay      reading it when it is opened
//!   segment     one file of the journal                      upkeep      snapshots, in small steps; cleaning: likewise
//!   places      what is where, in memory                     spares      the next files; reserve: for a full disk
//!   manifest    where to begin to read                       snapshot    all keys and their places, in a file
//!   shelf       what can be read: places and files
//! histories/  the readable files                           fault       why it does not open
//! mounts      is it a disk of this machine
//! ```
//!
//! Invariants: a frame is there or not, by its checksum; a file is filled before it is used; what is named is on disk
//! before the name is, and what is removed was named by nothing before it was removed.

mod cleaning;
#[cfg(test)]
mod cuts;
mod fault;
mod histories;
mod journal;
mod manifest;
mod mounts;
mod places;
mod replay;
mod reserve;
mod segment;
mod shelf;
#[cfg(test)]
mod simulated;
mod snapshot;
mod spares;
mod upkeep;

use std::path::Path;
use std::sync::Arc;

use uuid::Uuid;

use self::histories::Histories;
use self::journal::{Journal, Settings};
use super::copy::InFolder;
use super::disk::{self, OsDisk};
use super::engine::KvProvider;
use super::folder::{self, Folder};
use super::frame;
use super::recover::{recover, refused};
use super::store::{Opener, OrderedStore};
use crate::clock::{Clock, SystemClock};
use crate::providers::{Capabilities, Durability, OpenError};

const JOURNAL: &str = "journal";
const INSTANCES: &str = "instances";
const SETTINGS: Settings = Settings { segment_bytes: 16 << 20, snapshot_after: 32 << 20 };
const SEGMENT_BYTES: (u32, u32) = (64 << 10, 1 << 30);

/// Says that keys are kept in a journal.
#[derive(Debug)]
pub enum Fs {}

/// Keeps instances in plain files of this machine. One process at a time may use them.
///
/// ```standalone_crate
/// use durable_runtime::prelude::*;
///
/// #[orchestration]
/// async fn greet(ctx: OrchestrationContext, name: String) -> String {
///     format!("hello {name}")
/// }
///
/// #[tokio::main]
/// async fn main() -> Result<(), Box<dyn std::error::Error>> {
///     # let folder = tempfile::tempdir()?;
///     # std::env::set_current_dir(&folder)?;
///     let store = FsProvider::open("orders.files")?;
///     let runtime = Runtime::builder(store.clone()).start().await?;
///     greet(&runtime.client(), "you".into()).id("first").start().await?.result().await?;
///     runtime.shutdown(Duration::from_secs(5)).await;
///     durable_runtime::Provider::close(&store).await;
///
///     // What happened can be read with any editor.
///     let instance = std::fs::read_dir("orders.files/instances")?.next().ok_or("no instance")??.path();
///     let history = std::fs::read_to_string(instance.join("executions/1/history.jsonl"))?;
///     assert!(history.lines().next().is_some_and(|event| event.contains("greet")));
///     Ok(())
/// }
/// ```
///
/// # What is in the folder
///
/// ```text
/// journal/                                                        the truth
/// instances/<slug>-<hash>/id.txt                                  the id of an instance
/// instances/<slug>-<hash>/executions/<n>/history.jsonl            what happened in an execution, one event a line
/// durable.json, lock                                              that it is a store, and who has it
/// ```
///
/// The journal is one record after the other, each with all that a group of transactions writes, under one checksum.
/// A transaction is answered when its record is on disk: one write and one `fdatasync` for all that came at once.
///
/// The histories are for people. They are made from the journal after a commit, so they may be a moment behind, and
/// whatever is done to them does no harm: they are put right when the store is opened.
///
/// # What it promises
///
/// - What was acknowledged survives a killed process and a power cut, as long as the disk keeps what it says it has.
/// - A record that was cut off by a power cut is left out: nobody was told that it is kept. A record that was damaged
///   later is [`OpenError::Corrupt`], with the file and the byte; it is never passed over.
/// - When the disk is full, transactions fail with [`ErrorKind::Full`](crate::providers::ErrorKind::Full), except for
///   those that only take away; with space all go on by themselves.
/// - It cleans up while it is written to, and takes at most twice what it keeps and some 100 MB; a store that was emptied,
///   and is not written to, is made small by [`Maintain::compact`](crate::providers::Maintain::compact).
/// - Network file systems are refused where the system says what they are (`/proc/mounts`).
///
/// Keys are kept in memory, about 100 bytes for each; an instance with a history of some turns has a handful.
pub type FsProvider = KvProvider<Fs>;

impl KvProvider<Fs> {
    /// Opens the store in this folder, and makes it if it is not there.
    ///
    /// # Errors
    /// [`OpenError`], which says who holds the folder, or what is wrong with it.
    pub fn open(path: impl AsRef<Path>) -> Result<Self, OpenError> {
        Self::options().open(path)
    }

    /// What can be chosen when a store is opened.
    pub fn options() -> FsOptions {
        FsOptions {
            durability: Durability::Immediate,
            settings: SETTINGS,
            histories: true,
            clock: Arc::new(SystemClock),
        }
    }
}

/// How a store is opened.
#[must_use = "nothing is opened before `open`"]
#[derive(Clone)]
pub struct FsOptions {
    durability: Durability,
    settings: Settings,
    histories: bool,
    clock: Arc<dyn Clock>,
}

impl FsOptions {
    /// When a transaction counts as kept; [`Durability::Immediate`] unless said otherwise. With a weaker one a power cut
    /// may lose the last transactions, never the store.
    pub const fn durability(mut self, durability: Durability) -> Self {
        self.durability = durability;
        self
    }

    /// How large a file of the journal grows; 16 MiB unless said otherwise, at least 64 KiB and at most 1 GiB. A small
    /// store has smaller ones.
    pub const fn segment_bytes(mut self, bytes: u32) -> Self {
        let (least, most) = SEGMENT_BYTES;
        self.settings.segment_bytes = match bytes {
            bytes if bytes < least => least,
            bytes if bytes > most => most,
            bytes => bytes,
        };
        self
    }

    /// After how many bytes of the journal a snapshot is written; 32 MiB unless said otherwise. Opening has to read so
    /// much of it, or twice the size of the snapshot if that is more.
    pub const fn snapshot_after(mut self, bytes: u64) -> Self {
        self.settings.snapshot_after = bytes;
        self
    }

    /// Whether there are histories a person can read; there are unless said otherwise.
    pub const fn readable_histories(mut self, wanted: bool) -> Self {
        self.histories = wanted;
        self
    }

    /// The clock by which the store goes; that of the machine unless said otherwise.
    pub fn clock(mut self, clock: impl Clock) -> Self {
        self.clock = Arc::new(clock);
        self
    }

    /// Opens the store in this folder, and makes it if it is not there.
    ///
    /// # Errors
    /// As [`FsProvider::open`](KvProvider::open).
    pub fn open(self, path: impl AsRef<Path>) -> Result<FsProvider, OpenError> {
        let path = path.as_ref();
        let folder = Folder::take(path, "fs")?;
        if let Some(kind) = mounts::network_file_system(path) {
            return Err(OpenError::NetworkFileSystem { path: path.to_owned(), kind });
        }
        let opener = FsOpener { folder, settings: self.settings, histories: self.histories };
        let mut store = opener.open()?;
        let what = format!("in `{JOURNAL}`, a record of the store's own cannot be read: ");
        let recovered = recover(&mut *store).map_err(|error| refused(path, &error, &what))?;
        let capabilities = Capabilities::new("fs").persistent(self.durability).takes_turns();
        KvProvider::start(Box::new(opener), (store, recovered), self.clock, capabilities)
            .map_err(|source| OpenError::of_system(path, source))
    }
}

impl std::fmt::Debug for FsOptions {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        let Self { durability, settings, histories, .. } = self;
        f.debug_struct("FsOptions")
            .field("durability", durability)
            .field("settings", settings)
            .field("readable_histories", histories)
            .finish_non_exhaustive()
    }
}

struct FsOpener {
    folder: Folder,
    settings: Settings,
    histories: bool,
}

impl InFolder for Fs {
    const KIND: &'static str = "fs";

    #[expect(private_interfaces, reason = "nobody outside can name this trait")]
    fn open_keys(folder: &Folder) -> Result<Box<dyn OrderedStore>, OpenError> {
        Ok(Box::new(open_journal(folder, SETTINGS)?))
    }
}

fn open_journal(folder: &Folder, settings: Settings) -> Result<Journal, OpenError> {
    let path = folder.path();
    let below = folder.below(JOURNAL);
    let made = folder::create(&below).and_then(|()| folder::sync_folder(path));
    made.map_err(|source| OpenError::of_system(path, source))?;
    let disk = Arc::new(OsDisk(below));
    let journal = Journal::open(disk, settings, Uuid::new_v4().into_bytes());
    journal.map_err(|fault| fault.of(path))
}

impl Opener for FsOpener {
    fn open(&self) -> Result<Box<dyn OrderedStore>, OpenError> {
        let journal = open_journal(&self.folder, self.settings)?;
        if !self.histories {
            return Ok(Box::new(journal));
        }
        let files = self.folder.below(INSTANCES);
        Ok(Box::new(journal.with_histories(|shelf| Histories::begin(files, shelf))))
    }
}
