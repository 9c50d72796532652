//! The stores that can be measured.

use std::path::Path;
use std::sync::Arc;

use clap::ValueEnum;
use durable_runtime::providers::Provider;
use durable_runtime::{FsProvider, MemoryProvider, SledProvider, SqliteProvider};
use serde_json::{Value, json};

use crate::Result;

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
#[derive(Debug, Clone, Copy)]
pub(crate) struct Place {
    pub(crate) store: Store,
    pub(crate) cache_mib: u64,
}

impl Place {
    pub(crate) fn open(self, folder: &Path) -> Result<Arc<dyn Provider>> {
        Ok(match self.store {
            Store::Sled => {
                let options = SledProvider::options().cache_bytes(self.cache_mib * 1024 * 1024);
                Arc::new(options.open(folder.join("store"))?)
            }
            Store::Fs => Arc::new(FsProvider::open(folder.join("store"))?),
            Store::Sqlite => {
                let options = SqliteProvider::options().cache_bytes(self.cache_mib * 1024 * 1024);
                // In a folder of its own, since other files stand beside it.
                Arc::new(options.open(folder.join("store/store.db"))?)
            }
            Store::Memory => Arc::new(MemoryProvider::new()),
        })
    }

    pub(crate) fn persists(self) -> bool {
        self.store != Store::Memory
    }

    pub(crate) fn describe(self) -> Value {
        match self.store {
            Store::Sled => json!({ "name": "sled", "durability": "immediate", "cache_mib": self.cache_mib }),
            Store::Fs => json!({ "name": "fs", "durability": "immediate" }),
            Store::Sqlite => json!({ "name": "sqlite", "durability": "immediate", "cache_mib": self.cache_mib }),
            Store::Memory => json!({ "name": "memory", "durability": "none" }),
        }
    }
}
