//! The program of an engine: a subcommand for each workload.

use std::path::{Path, PathBuf};
use std::time::Duration;

use clap::{Args, Subcommand, ValueEnum};
use serde::{Deserialize, Serialize};
use serde_json::{Value, json};
use tempfile::TempDir;

use crate::Result;
use crate::engine::Engine;
use crate::line::{Figures, Line};
use crate::machine::{RawFlushes, disk_bytes, millis};
use crate::w9_kill::{self, Half};
use crate::{w1_latency, w2_throughput, w3_fan_out, w4_chain, w5_timers, w6_events, w7_generations, w8_waiting};

/// A workload.
#[derive(Debug, Clone, Copy, PartialEq, Eq, ValueEnum, Serialize, Deserialize)]
pub enum Workload {
    /// One orchestration with one activity, one after another: latency
    W1,
    /// Orchestrations of three activities, many in flight: throughput
    W2,
    /// Fan-out and join: one instance of 1,000 activities; ten of 100
    W3,
    /// A chain of activities in one instance: time per activity at each length
    W4,
    /// Timers: how late, and what sleepers cost
    W5,
    /// Events: a burst, then one by one
    W6,
    /// Continue-as-new
    W7,
    /// Waiting instances: memory, disk, restart
    W8,
    /// `kill -9` in the middle of W2, then a restart
    W9,
}

impl Workload {
    /// All of them.
    pub const ALL: [Self; 9] =
        [Self::W1, Self::W2, Self::W3, Self::W4, Self::W5, Self::W6, Self::W7, Self::W8, Self::W9];

    /// `W1` and so on.
    pub fn name(self) -> String {
        format!("{self:?}")
    }
}

/// How much of a workload is run.
#[derive(Debug, Clone, Args)]
pub struct Measure<S: Args> {
    /// How many: repetitions (w1), orchestrations (w2, w5, w9), activities (w3, w4), instances (w6, w8), generations (w7);
    /// for w4 several lengths, with commas between
    #[arg(long, value_delimiter = ',')]
    pub count: Vec<usize>,
    /// How many are in flight at once (w2, w9)
    #[arg(long, default_value_t = 256)]
    pub in_flight: usize,
    /// Where stores are kept while they are measured, each in a folder of its own: the folder for such things, unless
    /// something else is said
    #[arg(long)]
    pub folder: Option<PathBuf>,
    /// Concurrency and durability
    #[command(flatten)]
    pub settings: S,
}

impl<S: Args> Measure<S> {
    /// How many.
    pub(crate) fn count(&self, usually: usize) -> usize {
        self.count.first().copied().unwrap_or(usually)
    }

    /// A folder for a store, gone when it is dropped.
    ///
    /// # Errors
    /// If it cannot be made.
    pub fn fresh_folder(&self) -> Result<TempDir> {
        Ok(match &self.folder {
            Some(folder) => TempDir::new_in(folder)?,
            None => TempDir::new()?,
        })
    }
}

/// One workload of one engine: what the command line says.
#[derive(Debug, Clone, Subcommand)]
pub enum Command<S: Args> {
    /// One orchestration with one activity, one after another: latency
    W1(Measure<S>),
    /// Orchestrations of three activities, many in flight: throughput
    W2(Measure<S>),
    /// Fan-out and join: one instance of many activities; ten of a tenth each
    W3(Measure<S>),
    /// A chain of activities in one instance: time per activity at each length
    W4(Measure<S>),
    /// Timers: how late, and what sleepers cost
    W5(Measure<S>),
    /// Events: a burst, then one by one
    W6(Measure<S>),
    /// Continue-as-new
    W7(Measure<S>),
    /// Waiting instances: memory, disk, restart
    W8(Measure<S>),
    /// `kill -9` in the middle of W2, then a restart
    W9(Measure<S>),
    /// Half of W9: what is killed, and what goes on after it
    #[command(name = "w9-half", hide = true)]
    Half(Half<S>),
}

/// Runs what the command line says, and prints one line of JSON for each result.
///
/// # Errors
/// What the engine says.
pub async fn run<E: Engine>(command: Command<E::Settings>) -> Result {
    let (workload, arguments) = match command {
        Command::W1(arguments) => (Workload::W1, arguments),
        Command::W2(arguments) => (Workload::W2, arguments),
        Command::W3(arguments) => (Workload::W3, arguments),
        Command::W4(arguments) => (Workload::W4, arguments),
        Command::W5(arguments) => (Workload::W5, arguments),
        Command::W6(arguments) => (Workload::W6, arguments),
        Command::W7(arguments) => (Workload::W7, arguments),
        Command::W8(arguments) => (Workload::W8, arguments),
        Command::W9(arguments) => (Workload::W9, arguments),
        Command::Half(half) => return w9_kill::half::<E>(half).await,
    };
    for line in measure::<E>(workload, &arguments).await? {
        print(&line)?;
    }
    Ok(())
}

/// Runs a workload; answers a line for each part of it.
///
/// # Errors
/// What the engine says.
pub async fn measure<E: Engine>(workload: Workload, arguments: &Measure<E::Settings>) -> Result<Vec<Line>> {
    if let Some(reason) = E::cannot(&arguments.settings, workload) {
        let about = E::about(&arguments.settings);
        let mut line = Line::new(&workload.name(), about, json!({}), Duration::ZERO, Figures::new());
        line.cannot = Some(reason);
        return Ok(vec![line]);
    }
    let mut lines = match workload {
        Workload::W1 => vec![w1_latency::latency::<E>(arguments).await?],
        Workload::W2 => vec![w2_throughput::throughput::<E>(arguments).await?],
        Workload::W3 => w3_fan_out::fan_out::<E>(arguments).await?,
        Workload::W4 => w4_chain::chains::<E>(arguments).await?,
        Workload::W5 => vec![w5_timers::timers::<E>(arguments).await?],
        Workload::W6 => vec![w6_events::events::<E>(arguments).await?],
        Workload::W7 => vec![w7_generations::generations::<E>(arguments).await?],
        Workload::W8 => vec![w8_waiting::waiting::<E>(arguments).await?],
        Workload::W9 => vec![w9_kill::kill::<E>(arguments).await?],
    };
    for line in &mut lines {
        line.remark = E::remark(&arguments.settings, workload);
    }
    Ok(lines)
}

#[expect(clippy::print_stdout, reason = "the result of the program")]
fn print(line: &Line) -> Result {
    println!("{}", serde_json::to_string(line)?);
    Ok(())
}

/// An engine on a fresh store, with the raw flushes measured around what it does.
pub(crate) struct Bench<E: Engine> {
    settings: E::Settings,
    folder: TempDir,
    raw: RawFlushes,
}

impl<E: Engine> Bench<E> {
    pub(crate) fn new(arguments: &Measure<E::Settings>) -> Result<Self> {
        let folder = arguments.fresh_folder()?;
        let raw = RawFlushes::before(folder.path())?;
        Ok(Self { settings: arguments.settings.clone(), folder, raw })
    }

    pub(crate) fn with_settings(mut self, settings: E::Settings) -> Self {
        self.settings = settings;
        self
    }

    pub(crate) async fn open(&self) -> Result<E> {
        E::open(&self.settings, self.folder.path()).await
    }

    pub(crate) async fn open_with(&self, settings: &E::Settings) -> Result<E> {
        E::open(settings, self.folder.path()).await
    }

    /// The bytes of the store, if it keeps anything.
    pub(crate) fn store_bytes(&self) -> Result<u64> {
        if E::persists(&self.settings) { disk_bytes(&self.folder.path().join("store")) } else { Ok(0) }
    }

    pub(crate) fn folder(&self) -> &Path {
        self.folder.path()
    }

    /// The result; the figures are made when the raw flush is known.
    pub(crate) fn line(self, workload: Workload, options: Value, figures: impl FnOnce(f64) -> Figures) -> Result<Line> {
        let raw = self.raw.after()?;
        let figures = figures(millis(raw));
        Ok(Line::new(&workload.name(), E::about(&self.settings), options, raw, figures))
    }
}

/// Figures by name.
pub(crate) fn figures<const N: usize>(pairs: [(&str, f64); N]) -> Figures {
    pairs.into_iter().map(|(name, figure)| (name.to_owned(), figure)).collect()
}
