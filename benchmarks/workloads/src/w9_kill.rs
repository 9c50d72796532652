//! W9: `kill -9` in the middle of W2, then a restart on the same store.
//!
//! What is killed is a process of its own, the first half, with all processes of the engine; it says on its standard output
//! which instances are started and which have ended. The second half waits for those that were started and had not ended.

use std::collections::{BTreeMap, BTreeSet};
use std::io::Write as _;
use std::path::{Path, PathBuf};
use std::process::Stdio;
use std::time::{Duration, Instant};

use clap::Args;
use futures_util::{StreamExt as _, TryStreamExt as _, stream};
use serde_json::json;
use tokio::io::{AsyncBufReadExt as _, BufReader, Lines};
use tokio::process::{Child, ChildStdout, Command};

use crate::engine::{Engine, Job};
use crate::line::Line;
use crate::machine::millis;
use crate::note::{Note, record_runs};
use crate::program::{Bench, Measure, Workload, figures};
use crate::w2_throughput::STEPS;
use crate::{Progress, Result};

/// How many orchestrations unless something else is said.
const COUNT: usize = 2_000;
/// What has not ended by then is lost.
const PATIENCE: Duration = Duration::from_secs(120);

/// The arguments of a half.
#[derive(Debug, Clone, Args)]
pub struct Half<S: Args> {
    /// As for the whole
    #[command(flatten)]
    measure: Measure<S>,
    /// Where the store is
    #[arg(long)]
    store: PathBuf,
    /// The numbers of the instances to wait for, in a file; without it, instances are started
    #[arg(long)]
    resume: Option<PathBuf>,
}

pub(crate) async fn kill<E: Engine>(arguments: &Measure<E::Settings>) -> Result<Line> {
    let count = arguments.count(COUNT);
    let bench = Bench::<E>::new(arguments)?;
    let folder = bench.folder();
    let progress = Progress::new("W9 kill -9", count);
    let mut seen = Seen::default();

    let mut first = Running::spawn(folder, None)?;
    while let Some(line) = first.lines.next_line().await? {
        seen.hear(&line, &progress)?;
        if seen.done.len() == count / 2 {
            first.kill(&seen.processes).await?;
        }
    }
    first.child.wait().await?;
    let before = seen.done.len();
    let waiting: Vec<String> = seen.started.difference(&seen.done).map(u64::to_string).collect();
    let list = folder.join("waiting");
    std::fs::write(&list, waiting.join("\n"))?;

    let begin = Instant::now();
    let mut second = Running::spawn(folder, Some(&list))?;
    let (mut first_progress, mut end) = (None, None);
    while let Some(line) = second.lines.next_line().await? {
        seen.hear(&line, &progress)?;
        if line.starts_with("done") {
            first_progress.get_or_insert_with(|| begin.elapsed());
            end = Some(begin.elapsed());
        }
    }
    if !second.child.wait().await?.success() {
        return Err("the second half failed".into());
    }
    let lost = seen.started.difference(&seen.done).count();
    let reruns = run_again(&std::fs::read_to_string(folder.join("runs"))?);
    let options = json!({
        "count": count, "in_flight": arguments.in_flight, "ended_before_the_kill": before,
        "in_flight_at_the_kill": waiting.len(), "completions_counted": seen.counted,
    });
    let recovered = |time: Option<Duration>| millis(time.unwrap_or_default());
    let (first_progress, end) = (recovered(first_progress), recovered(end));
    bench.line(Workload::W9, options, |_| {
        figures([
            ("first_progress_ms", first_progress),
            ("all_ms", end),
            ("lost", lost as f64),
            ("doubled_completions", seen.twice as f64),
            ("activities_run_again", reruns as f64),
        ])
    })
}

/// How many activities ran more than once: each instance has so many steps, and each says its number once.
fn run_again(runs: &str) -> usize {
    let mut each = BTreeMap::<&str, usize>::new();
    runs.lines().for_each(|number| *each.entry(number).or_default() += 1);
    each.values().map(|runs| runs.saturating_sub(STEPS)).sum()
}

/// What the halves have said.
#[derive(Default)]
struct Seen {
    processes: Vec<String>,
    started: BTreeSet<u64>,
    done: BTreeSet<u64>,
    counted: u64,
    twice: u64,
}

impl Seen {
    fn hear(&mut self, line: &str, progress: &Progress) -> Result {
        // What an engine logs on its standard output is none of these.
        let Some((what, value)) = line.split_once(' ') else { return Ok(()) };
        match what {
            "process" => self.processes.push(value.to_owned()),
            "started" => drop(self.started.insert(value.parse()?)),
            "done" => {
                self.done.insert(value.parse()?);
                progress.step();
            }
            "completions" => {
                self.counted += 1;
                self.twice += u64::from(value != "1");
            }
            _ => {}
        }
        Ok(())
    }
}

struct Running {
    child: Child,
    lines: Lines<BufReader<ChildStdout>>,
}

impl Running {
    /// This program, with its own arguments but for the workload.
    fn spawn(folder: &Path, resume: Option<&Path>) -> Result<Self> {
        let mut command = Command::new(std::env::current_exe()?);
        command.arg("w9-half");
        command.args(std::env::args().skip(1).filter(|argument| argument != "w9"));
        command.arg("--store").arg(folder);
        if let Some(list) = resume {
            command.arg("--resume").arg(list);
        }
        let mut child = command.env("RUST_LOG", "error").stdout(Stdio::piped()).kill_on_drop(true).spawn()?;
        let lines = BufReader::new(child.stdout.take().ok_or("no standard output")?).lines();
        Ok(Self { child, lines })
    }

    async fn kill(&mut self, others: &[String]) -> Result {
        if !others.is_empty() {
            Command::new("kill").arg("-9").args(others).status().await?;
        }
        Ok(self.child.start_kill()?)
    }
}

/// One half: starts instances until it is killed, or waits for those that were started.
pub(crate) async fn half<E: Engine>(half: Half<E::Settings>) -> Result {
    record_runs(&half.store.join("runs"))?;
    let engine = E::open(&half.measure.settings, &half.store).await?;
    for process in engine.processes() {
        say("process", process)?;
    }
    match &half.resume {
        None => start_all(&engine, &half.measure).await?,
        Some(list) => wait_for_all(&engine, &std::fs::read_to_string(list)?).await?,
    }
    engine.close().await
}

async fn start_all<E: Engine>(engine: &E, arguments: &Measure<E::Settings>) -> Result {
    let one = async |number: usize| -> Result {
        let (id, job) = (format!("w9-{number}"), job(number as u64));
        engine.start(&id, &job).await?;
        say("started", number)?;
        engine.result(&id, &job).await?;
        say("done", number)
    };
    let count = arguments.count(COUNT);
    stream::iter((0..count).map(one)).buffer_unordered(arguments.in_flight).try_collect().await
}

async fn wait_for_all<E: Engine>(engine: &E, list: &str) -> Result {
    let one = async |number: u64| -> Result {
        let id = format!("w9-{number}");
        if let Ok(result) = tokio::time::timeout(PATIENCE, engine.result(&id, &job(number))).await {
            result?;
            say("done", number)?;
        }
        Ok(())
    };
    let numbers: Vec<u64> = list.lines().map(str::parse).collect::<std::result::Result<_, _>>()?;
    stream::iter(numbers.iter().copied().map(one)).buffer_unordered(numbers.len().max(1)).try_collect::<()>().await?;
    for number in numbers {
        if let Some(completions) = engine.completions(&format!("w9-{number}")).await? {
            say("completions", completions)?;
        }
    }
    Ok(())
}

fn job(number: u64) -> Job {
    Job::Steps { count: STEPS, note: Note::new(number) }
}

/// A line to the parent: written at once, so that it outlives this process.
fn say(what: &str, value: impl std::fmt::Display) -> Result {
    let mut out = std::io::stdout().lock();
    writeln!(out, "{what} {value}")?;
    Ok(out.flush()?)
}
