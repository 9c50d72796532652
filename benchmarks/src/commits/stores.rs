//! What is measured of stores without a runtime, one store after another: lines, and a document if it is to be kept.

use std::path::PathBuf;

use clap::Args;
use durable_workloads::{Line, Result};

use super::{Effort, commits, open, space};
use crate::print;
use crate::report::Document;
use crate::store::{Place, Store};

/// Which stores, and where the result goes.
#[derive(Debug, Clone, Args)]
pub(crate) struct Stores {
    /// The stores, with commas between
    #[arg(long, value_enum, value_delimiter = ',', default_value = "sled")]
    provider: Vec<Store>,
    /// How much memory sled and sqlite may use for what they have read or written, in MiB
    #[arg(long, default_value_t = 64)]
    cache_mib: u64,
    /// Where the result and a chart are written too
    #[arg(long)]
    out: Option<PathBuf>,
}

impl Stores {
    /// These, with the usual cache.
    pub(crate) fn new(provider: Vec<Store>, out: PathBuf) -> Self {
        Self { provider, cache_mib: 64, out: Some(out) }
    }

    /// The first.
    pub(crate) fn first(&self) -> Result<Place> {
        self.places().next().ok_or_else(|| "no store is given".into())
    }

    fn places(&self) -> impl Iterator<Item = Place> {
        self.provider.iter().map(|provider| Place { provider: *provider, cache_mib: self.cache_mib })
    }

    /// P1, by so many committers each.
    pub(crate) async fn commits(&self, committers: &[usize], effort: Effort) -> Result {
        let mut lines = Vec::new();
        for place in self.places() {
            for &committers in committers {
                lines.push(said(commits(place, committers, effort).await?)?);
            }
        }
        self.keep("P1", lines)
    }

    /// Stores with so many keys, opened: where nothing waits, and where a message does for each instance.
    pub(crate) async fn open(&self, keys: usize) -> Result {
        let mut lines = Vec::new();
        for place in self.places() {
            for waiting in [false, true] {
                lines.push(said(open(place, keys, waiting).await?)?);
            }
        }
        self.keep("open", lines)
    }

    /// The disk after so many commits.
    pub(crate) async fn space(&self, commits: usize) -> Result {
        let mut lines = Vec::new();
        for place in self.places() {
            lines.push(said(space(place, commits).await?)?);
        }
        self.keep("space", lines)
    }

    fn keep(&self, name: &str, lines: Vec<Line>) -> Result {
        self.out.as_ref().map_or(Ok(()), |out| Document::new(name, 1, lines)?.publish(out))
    }
}

/// What takes minutes says what it has so far.
fn said(line: Line) -> Result<Line> {
    print(&line)?;
    Ok(line)
}
