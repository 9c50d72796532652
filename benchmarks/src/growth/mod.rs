//! What grows: with the length of a history, and with how many instances there are. Each on a fresh store.

mod disk;
mod fan_out;
mod idle;
mod open;
mod replay;
mod restart;
mod steps;
mod trial;
mod waiting;

use std::path::PathBuf;

use clap::{Args, ValueEnum};
use durable_workloads::{Progress, Result};

use self::trial::Trial;
use crate::report::Document;
use crate::store::{Place, Store};

/// What is looked at.
#[derive(Debug, Clone, Args)]
pub(crate) struct Arguments {
    /// What grows, with commas between; all of it unless said
    #[arg(long, value_enum, value_delimiter = ',')]
    what: Vec<What>,
    /// The stores, with commas between
    #[arg(long, value_enum, value_delimiter = ',', default_value = "sled")]
    provider: Vec<Store>,
    /// How much memory sled and sqlite may use for what they have read or written, in MiB
    #[arg(long, default_value_t = 64)]
    cache_mib: u64,
    /// The sizes, instead of those that each has
    #[arg(long, value_delimiter = ',')]
    size: Vec<usize>,
    /// How many rounds
    #[arg(long, default_value_t = 1)]
    runs: usize,
    /// Where `growth-steps.json`, `growth-steps.svg` and so on are written
    #[arg(long, default_value = "target/bench")]
    out: PathBuf,
}

impl Arguments {
    /// All of it, once.
    pub(crate) fn new(provider: Option<Store>, out: PathBuf) -> Self {
        let provider = provider.into_iter().collect();
        Self { what: Vec::new(), provider, cache_mib: 64, size: Vec::new(), runs: 1, out }
    }
}

#[derive(Debug, Clone, Copy, PartialEq, Eq, ValueEnum)]
enum What {
    /// Time for a step after so many events
    Steps,
    /// Throughput beside so many open instances
    Open,
    /// Time for an activity of a fan-out of so many
    FanOut,
    /// Memory of each of so many waiting instances, in memory between turns and not
    Waiting,
    /// How long until the first of so many waiting instances goes on after a restart
    Restart,
    /// Disk of each of so many finished instances
    Disk,
    /// Processor time with so many sleeping instances
    Idle,
    /// How long until an instance of so many events goes on after a restart
    Replay,
}

impl What {
    fn sizes(self) -> &'static [usize] {
        match self {
            Self::Steps => &[10, 1_000, 10_000, 50_000],
            Self::Open => &[0, 1_000, 10_000, 100_000],
            Self::FanOut => &[100, 1_000, 10_000],
            Self::Waiting => &[10_000, 100_000],
            Self::Restart => &[10_000, 100_000, 1_000_000],
            Self::Disk => &[10_000],
            Self::Idle => &[100_000],
            Self::Replay => &[1_000, 10_000, 50_000],
        }
    }
}

/// Measures, prints tables, writes JSON and charts.
pub(crate) async fn growth(arguments: &Arguments) -> Result {
    let whats = if arguments.what.is_empty() { What::value_variants() } else { &arguments.what };
    for &what in whats {
        let name = what.to_possible_value().map(|value| value.get_name().to_owned()).unwrap_or_default();
        let sizes = if arguments.size.is_empty() { what.sizes() } else { &arguments.size };
        let progress = Progress::new(format!("growth: {name}"), arguments.runs * arguments.provider.len());
        let mut lines = Vec::new();
        for _ in 0..arguments.runs {
            for &provider in &arguments.provider {
                let trial = Trial::new(&name, Place { provider, cache_mib: arguments.cache_mib })?;
                lines.extend(match what {
                    What::Steps => steps::steps(trial, sizes).await?,
                    What::Open => open::open(trial, sizes).await?,
                    What::FanOut => fan_out::fan_out(trial, sizes).await?,
                    What::Waiting => waiting::waiting(trial, sizes).await?,
                    What::Restart => restart::restart(trial, sizes).await?,
                    What::Disk => disk::disk(trial, sizes).await?,
                    What::Idle => idle::idle(trial, sizes).await?,
                    What::Replay => replay::replay(trial, sizes).await?,
                });
                progress.step();
            }
        }
        drop(progress);
        Document::new(format!("growth-{name}"), arguments.runs, lines)?.publish(&arguments.out)?;
    }
    Ok(())
}
