//! A workload in turn on several engines, each run in a process of its own on a fresh store: A B A B.

mod contender;
mod peers;
mod turns;

use std::path::PathBuf;

use clap::{Args, ValueEnum};
use durable_workloads::{Result, Workload};

use crate::report::Document;
use crate::store::Store;

/// What is compared.
#[derive(Debug, Clone, Args)]
pub(crate) struct Arguments {
    /// The workloads, with commas between
    #[arg(long, value_enum, value_delimiter = ',', required = true)]
    workload: Vec<Workload>,
    /// The stores of this project
    #[arg(long, value_enum, value_delimiter = ',', default_value = "sled")]
    provider: Vec<Store>,
    /// What to compare with; peers are built and fetched first
    #[arg(long, value_enum, value_delimiter = ',')]
    peers: Vec<Peer>,
    /// How many rounds: in each, every engine has its turn
    #[arg(long, default_value_t = 5)]
    runs: usize,
    /// A turn that takes longer is stopped and said to be so, in seconds
    #[arg(long, default_value_t = 300)]
    patience: u64,
    /// Only a little of each: to see that it works
    #[arg(long)]
    quick: bool,
    /// Where `w1.json`, `w1.svg` and so on are written
    #[arg(long, default_value = "target/bench")]
    out: PathBuf,
}

impl Arguments {
    /// These workloads, with the usual patience, on stores and peers.
    pub(crate) fn new(
        workloads: &[Workload],
        (provider, peers): (Vec<Store>, Vec<Peer>),
        (runs, quick): (usize, bool),
        out: PathBuf,
    ) -> Self {
        Self { workload: workloads.to_vec(), provider, peers, runs, patience: 300, quick, out }
    }
}

/// An engine that this one is compared with.
#[derive(Debug, Clone, Copy, PartialEq, Eq, ValueEnum)]
pub(crate) enum Peer {
    /// All three of duroxide
    Duroxide,
    /// duroxide as it ships
    DuroxideDefault,
    /// duroxide with more at once and shorter polls
    DuroxideTuned,
    /// The same, with every commit flushed
    DuroxideFull,
    /// Restate as it ships, server and SDK
    Restate,
}

/// Compares, prints tables, writes JSON and charts.
///
/// # Errors
/// If something cannot be built or written; and, when all is done, if this project's own engine has failed.
pub(crate) async fn compare(arguments: &Arguments) -> Result {
    let contenders = contender::all(&arguments.provider, &arguments.peers).await?;
    let mut failures = Vec::new();
    for &workload in &arguments.workload {
        let lines = turns::take(workload, &contenders, arguments).await;
        let ours = lines.iter().filter(|line| line.engine.starts_with(contender::OURS));
        failures.extend(
            ours.filter_map(|line| Some(format!("{} in {}: {}", line.engine, workload.name(), line.failed.as_ref()?))),
        );
        Document::new(workload.name(), arguments.runs, lines)?.publish(&arguments.out)?;
    }
    if failures.is_empty() { Ok(()) } else { Err(failures.join("\n").into()) }
}
