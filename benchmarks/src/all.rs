//! Everything, one after another: all workloads, what grows, one turn, and the page.

use std::path::{Path, PathBuf};

use clap::{Args, ValueEnum as _};
use durable_workloads::{Line, Result, Workload};
use tokio::process::Command;

use crate::commits;
use crate::compare::{self, Peer};
use crate::growth;
use crate::report::{self, Document};
use crate::store::{Place, Store};

/// What is measured.
#[derive(Debug, Clone, Args)]
pub(crate) struct Arguments {
    /// The stores of this project: targets are for the first
    #[arg(long, value_enum, value_delimiter = ',', default_value = "sled,fs,sqlite")]
    provider: Vec<Store>,
    /// What to compare with; peers are built and fetched first
    #[arg(long, value_enum, value_delimiter = ',')]
    peers: Vec<Peer>,
    /// How many rounds
    #[arg(long, default_value_t = 5)]
    runs: usize,
    /// Where results go
    #[arg(long, default_value = "benchmarks/results")]
    out: PathBuf,
}

/// Measures everything, and writes `PERFORMANCE.md`.
pub(crate) async fn all(arguments: &Arguments) -> Result {
    let Arguments { provider, peers, runs, out } = arguments.clone();
    compare::compare(&compare::Arguments::new(Workload::value_variants(), provider, peers, runs, out.clone())).await?;
    growth::growth(&growth::Arguments::new(arguments.provider.first().copied(), out.clone())).await?;
    commits(&arguments.provider, &out).await?;
    turn(&out).await?;
    report::report(&report::Arguments::new(out))
}

/// P1 on each store that is on disk.
pub(crate) async fn commits(stores: &[Store], out: &Path) -> Result {
    let mut lines = Vec::new();
    for &provider in stores {
        for committers in [1, 8, 64, 256] {
            lines.push(commits::commits(Place::new(provider), committers).await?);
        }
    }
    Document::new("P1", 1, lines)?.publish(out)
}

/// Allocations and instructions of one turn: a benchmark of its own, since it counts every allocation.
pub(crate) async fn turn(out: &Path) -> Result {
    let mut cargo = Command::new(std::env::var_os("CARGO").unwrap_or_else(|| "cargo".into()));
    let output = cargo.args(["bench", "--quiet", "-p", "durable-bench", "--bench", "turn"]).output().await?;
    if !output.status.success() {
        return Err(String::from_utf8_lossy(&output.stderr).into_owned().into());
    }
    let text = String::from_utf8_lossy(&output.stdout);
    let lines: Vec<Line> = text.lines().filter_map(|line| serde_json::from_str(line).ok()).collect();
    Document::new("turn", 1, lines)?.publish(out)
}
