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
use std::time::Duration;

use clap::{Args, ValueEnum};
use durable_workloads::{Line, Progress, Result};
use tokio::process::Command;

use self::trial::Trial;
use crate::child;
use crate::print;
use crate::report::Document;
use crate::store::{Place, Store};

/// A look that takes longer is stopped and said to be so.
const PATIENCE: Duration = Duration::from_secs(900);

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
    /// Only a little of each: to see that it works
    #[arg(long)]
    quick: bool,
    /// In this process, and only lines are printed: what is run for each look, so that none leaves memory to the next
    #[arg(long, hide = true)]
    alone: bool,
    /// How many rounds
    #[arg(long, default_value_t = 1)]
    runs: usize,
    /// Where `growth-steps.json`, `growth-steps.svg` and so on are written
    #[arg(long, default_value = "target/bench")]
    out: PathBuf,
}

impl Arguments {
    /// All of it.
    pub(crate) fn new(provider: Option<Store>, (runs, quick): (usize, bool), out: PathBuf) -> Self {
        let provider = provider.into_iter().collect();
        Self { what: Vec::new(), provider, cache_mib: 64, size: Vec::new(), quick, alone: false, runs, out }
    }

    fn sizes(&self, what: What) -> Vec<usize> {
        match (self.size.is_empty(), self.quick) {
            (false, _) => self.size.clone(),
            (true, true) => vec![10, 50],
            (true, false) => what.sizes().to_vec(),
        }
    }

    /// The process for one look.
    fn process(&self, what: What, provider: Store, sizes: &[usize]) -> Result<Command> {
        let sizes: Vec<String> = sizes.iter().map(usize::to_string).collect();
        let mut command = Command::new(std::env::current_exe()?);
        command.args(["growth", "--alone", "--what", &what.name(), "--provider", provider.name()]);
        command.args(["--size", &sizes.join(","), "--cache-mib", &self.cache_mib.to_string()]);
        Ok(command)
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
    fn name(self) -> String {
        self.to_possible_value().map(|value| value.get_name().to_owned()).unwrap_or_default()
    }

    /// Whether each size has a process of its own; the others go on with what the size before has left.
    fn is_apart(self) -> bool {
        matches!(self, Self::FanOut | Self::Waiting | Self::Disk | Self::Idle | Self::Replay)
    }

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

/// Measures, prints tables, writes JSON and charts. What fails says so in a line; when all is done, that is an error.
pub(crate) async fn growth(arguments: &Arguments) -> Result {
    let whats = if arguments.what.is_empty() { What::value_variants() } else { &arguments.what };
    let mut failures = Vec::new();
    for &what in whats {
        let sizes = arguments.sizes(what);
        if arguments.alone {
            for &provider in &arguments.provider {
                alone(what, Place { provider, cache_mib: arguments.cache_mib }, &sizes).await?;
            }
            continue;
        }
        let parts: Vec<&[usize]> = if what.is_apart() { sizes.chunks(1).collect() } else { vec![&sizes[..]] };
        let name = what.name();
        let progress =
            Progress::new(format!("growth: {name}"), arguments.runs * arguments.provider.len() * parts.len());
        let mut lines = Vec::new();
        for _ in 0..arguments.runs {
            for &provider in &arguments.provider {
                for part in &parts {
                    match child::lines(&mut arguments.process(what, provider, part)?, PATIENCE).await {
                        Ok(more) => lines.extend(more),
                        Err(error) => {
                            let (document, engine) =
                                (format!("growth-{name}"), format!("durable-runtime {}", provider.name()));
                            failures.push(format!("{engine} in {document}: {error}"));
                            lines.push(Line::failed(&document, &engine, error.to_string()));
                        }
                    }
                    progress.step();
                }
            }
        }
        drop(progress);
        Document::new(format!("growth-{name}"), arguments.runs, lines)?.publish(&arguments.out)?;
    }
    if failures.is_empty() { Ok(()) } else { Err(failures.join("\n").into()) }
}

/// One look, in this process: prints its lines.
async fn alone(what: What, place: Place, sizes: &[usize]) -> Result {
    let trial = Trial::new(&what.name(), place)?;
    let lines = match what {
        What::Steps => steps::steps(trial, sizes).await?,
        What::Open => open::open(trial, sizes).await?,
        What::FanOut => fan_out::fan_out(trial, sizes).await?,
        What::Waiting => waiting::waiting(trial, sizes).await?,
        What::Restart => restart::restart(trial, sizes).await?,
        What::Disk => disk::disk(trial, sizes).await?,
        What::Idle => idle::idle(trial, sizes).await?,
        What::Replay => replay::replay(trial, sizes).await?,
    };
    lines.iter().try_for_each(print)
}
