//! The stores that are killed.

use std::path::Path;
use std::sync::Arc;

use durable_runtime::{FsProvider, Provider, SledProvider};

/// A store with the settings under which it is killed.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Store {
    Sled,
    /// With files so small that they are changed, cleaned and put into snapshots all the time.
    Fs,
}

impl Store {
    pub(super) const fn name(self) -> &'static str {
        match self {
            Self::Sled => "sled",
            Self::Fs => "fs",
        }
    }

    pub(super) fn named(name: &str) -> Self {
        [Self::Sled, Self::Fs].into_iter().find(|store| store.name() == name).unwrap()
    }

    pub(super) fn open(self, folder: &Path) -> Arc<dyn Provider> {
        let folder = folder.join("store");
        match self {
            Self::Sled => Arc::new(SledProvider::open(folder).unwrap()),
            Self::Fs => {
                let options = FsProvider::options().segment_bytes(128 << 10).snapshot_after(256 << 10);
                Arc::new(options.open(folder).unwrap())
            }
        }
    }
}
