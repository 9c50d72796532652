//! The stores that can be measured.

use std::path::Path;
use std::sync::Arc;

use clap::ValueEnum;
use durable_runtime::providers::Provider;
use durable_runtime::{MemoryProvider, SledProvider};

use crate::Result;

/// Where instances are kept.
#[derive(Debug, Clone, Copy, PartialEq, Eq, ValueEnum)]
pub(crate) enum Store {
    /// On disk, flushed before every acknowledgement
    Sled,
    /// Nowhere
    Memory,
}

impl Store {
    pub(crate) fn open(self, folder: &Path) -> Result<Arc<dyn Provider>> {
        Ok(match self {
            Self::Sled => Arc::new(SledProvider::open(folder.join("store"))?),
            Self::Memory => Arc::new(MemoryProvider::new()),
        })
    }

    pub(crate) fn name(self) -> &'static str {
        match self {
            Self::Sled => "sled",
            Self::Memory => "memory",
        }
    }
}
