//! The stores that can be measured.

use std::path::Path;
use std::sync::Arc;

use clap::{Args, ValueEnum};
use durable_runtime::providers::{Maintain, Provider};
use durable_runtime::{FsProvider, MemoryProvider, SledProvider, SqliteProvider};
use durable_workloads::Result;
use serde_json::{Value, json};

/// Where instances are kept.
#[derive(Debug, Clone, Copy, PartialEq, Eq, ValueEnum)]
pub(crate) enum Store {
    /// On disk, flushed before every acknowledgement
    Sled,
    /// In plain files, flushed before every acknowledgement
    Fs,
    /// In a file of SQLite, synced before every acknowledgement
    Sqlite,
    /// Nowhere
    Memory,
}

impl Store {
    /// As it is called on the command line.
    pub(crate) const fn name(self) -> &'static str {
        match self {
            Self::Sled => "sled",
            Self::Fs => "fs",
            Self::Sqlite => "sqlite",
            Self::Memory => "memory",
        }
    }
}

/// A store with its settings.
#[derive(Debug, Clone, Copy, Args)]
pub(crate) struct Place {
    /// Where instances are kept
    #[arg(long, value_enum, default_value_t = Store::Sled)]
    pub(crate) provider: Store,
    /// How much memory sled and sqlite may use for what they have read or written, in MiB
    #[arg(long, default_value_t = 64)]
    pub(crate) cache_mib: u64,
}

impl Place {
    /// Opens it in `folder/store`.
    pub(crate) fn open(self, folder: &Path) -> Result<Arc<dyn Provider>> {
        Ok(match self.open_on_disk(folder)? {
            Some(store) => store,
            None => Arc::new(MemoryProvider::new()),
        })
    }

    /// The same, if it is one that can be compacted.
    pub(crate) fn open_on_disk(self, folder: &Path) -> Result<Option<Arc<dyn Maintain>>> {
        let (cache_bytes, path) = (self.cache_mib * 1024 * 1024, folder.join("store"));
        Ok(match self.provider {
            Store::Sled => Some(Arc::new(SledProvider::options().cache_bytes(cache_bytes).open(path)?)),
            Store::Fs => Some(Arc::new(FsProvider::open(path)?)),
            // In a folder of its own, since other files stand beside it.
            Store::Sqlite => {
                let options = SqliteProvider::options().cache_bytes(cache_bytes);
                Some(Arc::new(options.open(path.join("store.db"))?))
            }
            Store::Memory => None,
        })
    }

    pub(crate) fn persists(self) -> bool {
        self.provider != Store::Memory
    }

    pub(crate) fn describe(self) -> Value {
        match self.provider {
            Store::Sled => json!({ "name": "sled", "durability": FLUSHED, "cache_mib": self.cache_mib }),
            Store::Fs => json!({ "name": "fs", "durability": FLUSHED }),
            Store::Sqlite => json!({ "name": "sqlite", "durability": FLUSHED, "cache_mib": self.cache_mib }),
            Store::Memory => json!({ "name": "memory", "durability": "none" }),
        }
    }
}

/// What every store on disk does.
const FLUSHED: &str = "immediate: flushed to disk before every acknowledgement";
