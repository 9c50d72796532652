//! Everything, one after another: all workloads, what grows, stores without a runtime, one turn, and the page.

use std::path::{Path, PathBuf};

use clap::Args;
use durable_workloads::{Line, Result, Workload};
use tokio::process::Command;

use crate::commits::{Effort, Stores};
use crate::compare::{self, Peer};
use crate::growth;
use crate::report::{self, Document};
use crate::store::Store;

/// In this order: what says most comes first.
const ORDER: &[Workload] = &[
    Workload::W1,
    Workload::W2,
    Workload::W4,
    Workload::W3,
    Workload::W5,
    Workload::W6,
    Workload::W7,
    Workload::W9,
    Workload::W8,
];

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
    /// How many rounds of what grows
    #[arg(long, default_value_t = 1)]
    growth_runs: usize,
    /// Only a little of each, in one round: to see that all of it works. The results go into `target/bench`
    #[arg(long)]
    quick: bool,
    /// Where results go, instead of `benchmarks/results`
    #[arg(long)]
    out: Option<PathBuf>,
}

/// Measures everything, and writes `PERFORMANCE.md`. What fails does not keep the rest from being measured.
pub(crate) async fn all(arguments: &Arguments) -> Result {
    let Arguments { provider, peers, quick, .. } = arguments.clone();
    let (runs, growth_runs) = if quick { (1, 1) } else { (arguments.runs, arguments.growth_runs) };
    let usual = if quick { "target/bench" } else { "benchmarks/results" };
    let out = arguments.out.clone().unwrap_or_else(|| usual.into());
    let stores = Stores::new(provider.clone(), out.clone());
    let (effort, many) = if quick { (Effort::QUICK, 1_000) } else { (Effort::USUAL, 1_000_000) };
    let first = provider.first().copied();
    let ended = [
        compare::compare(&compare::Arguments::new(ORDER, (provider, peers), (runs, quick), out.clone())).await,
        growth::growth(&growth::Arguments::new(first, (growth_runs, quick), out.clone())).await,
        stores.commits(&[1, 8, 64, 256], effort).await,
        stores.open(many).await,
        stores.space(many).await,
        turn(&out).await,
        report::report(&report::Arguments::new(out.clone(), quick.then(|| out.join("PERFORMANCE.md")))),
    ];
    let failures: Vec<String> = ended.into_iter().filter_map(|ended| Some(ended.err()?.to_string())).collect();
    if failures.is_empty() { Ok(()) } else { Err(failures.join("\n").into()) }
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
