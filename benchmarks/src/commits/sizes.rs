//! What a store takes with very many keys, and after very many commits of which little is left.

use std::path::Path;
use std::process::Command;
use std::sync::Arc;
use std::time::Instant;

use durable_runtime::providers::{CommitId, Provider, Transaction, TransactionOp};
use durable_runtime::{ExecutionId, InstanceId};
use durable_workloads::{Engine as _, Figures, Line, RawFlushes, Result, disk_bytes, millis, resident_bytes};
use serde_json::json;
use tempfile::TempDir;

use super::{EVENT_BYTES, together, turn_of};
use crate::ours::{Ours, Settings};
use crate::store::Place;

const COMMITTERS: usize = 256;
/// An instance with three turns has a key for its record and one for the history of each turn; and one for its message, if
/// one waits.
const TURNS: u64 = 3;
const KEYS_EACH: usize = 1 + TURNS as usize;
/// One instance in so many is left.
const LEFT: usize = 10;
const TURNS_OF_SHORT: u64 = 10;
/// The payload of an instance: three events a turn, the message that waits, its metadata.
const PAYLOAD_EACH: usize = (3 * TURNS_OF_SHORT as usize + 2) * EVENT_BYTES;

/// Fills a store with so many keys; how long another process takes to open it again, and how much memory. A message waits
/// for each instance, or for none.
pub(crate) async fn open(store: Place, keys: usize, waiting: bool) -> Result<Line> {
    let folder = TempDir::new()?;
    let raw = RawFlushes::before(folder.path())?;
    let opened = store.open(folder.path())?;
    let begin = Instant::now();
    let last = if waiting { Last::Waits } else { Last::Rests };
    in_turns(&opened, keys / (KEYS_EACH + usize::from(waiting)), TURNS, move |_| last).await?;
    let filled = begin.elapsed();
    opened.close().await;
    drop(opened);
    // The first opening finds what the filling left behind; the second what an opening leaves behind.
    let (first, second) = (in_a_process(store, folder.path())?, in_a_process(store, folder.path())?);
    let mut figures =
        named([("fill_s", filled.as_secs_f64()), ("disk_mib", mib(disk_bytes(&folder.path().join("store"))?))]);
    for (which, opening) in [("first", first), ("second", second)] {
        figures.extend(opening.into_iter().map(|(name, figure)| (format!("{which}_{name}"), figure)));
    }
    let line = Line::new("open", Ours::about(&Settings::of(store)), json!({ "keys": keys }), raw.after()?, figures);
    let part = if waiting { "a message due for each instance" } else { "nothing waits" };
    Ok(line.part(format!("{keys} keys, {part}")))
}

fn mib(bytes: u64) -> f64 {
    bytes as f64 / 1_048_576.0
}

fn named<const N: usize>(figures: [(&str, f64); N]) -> Figures {
    Figures::from(figures.map(|(name, figure)| (name.to_owned(), figure)))
}

fn in_a_process(store: Place, folder: &Path) -> Result<Figures> {
    let mut command = Command::new(std::env::current_exe()?);
    command.args(["open", "--provider", store.provider.name(), "--cache-mib", &store.cache_mib.to_string(), "--at"]);
    Ok(serde_json::from_slice(&command.arg(folder).output()?.stdout)?)
}

/// The other process.
#[expect(clippy::print_stdout, reason = "what the first process reads")]
pub(crate) async fn open_at(store: Place, folder: &Path) -> Result {
    let begin = Instant::now();
    let opened = store.open(folder)?;
    let elapsed = begin.elapsed();
    let resident = mib(resident_bytes(&[])?);
    let instances = opened.stats().await?.instances;
    println!("{}", json!({ "open_ms": millis(elapsed), "resident_mib": resident, "instances": instances }));
    opened.close().await;
    Ok(())
}

/// So many commits, of instances that are deleted at their end, but for one in ten; what is on the disk then.
pub(crate) async fn space(store: Place, commits: usize) -> Result<Line> {
    let folder = TempDir::new()?;
    let raw = RawFlushes::before(folder.path())?;
    let opened = store.open(folder.path())?;
    let instances = commits / TURNS_OF_SHORT as usize;
    in_turns(&opened, instances, TURNS_OF_SHORT, |number| if number % LEFT == 0 { Last::Waits } else { Last::Deleted })
        .await?;
    let path = folder.path().join("store");
    let live = instances.div_ceil(LEFT) * PAYLOAD_EACH;
    let left = opened.stats().await?.instances;
    let full = disk_bytes(&path)?;
    opened.close().await;
    drop(opened);
    let closed = disk_bytes(&path)?;
    compact(store, folder.path()).await?;
    let figures = named([
        ("instances", left as f64),
        ("live_payload_mib", mib(live as u64)),
        ("disk_mib", mib(full)),
        ("disk_beyond_6_times_live_mib", mib(full) - 6.0 * mib(live as u64)),
        ("disk_mib_closed", mib(closed)),
        ("disk_mib_compacted", mib(disk_bytes(&path)?)),
    ]);
    let options = json!({ "commits": commits });
    let line = Line::new("space", Ours::about(&Settings::of(store)), options, raw.after()?, figures);
    Ok(line.part(format!("{commits} commits")))
}

async fn compact(store: Place, folder: &Path) -> Result {
    if let Some(store) = store.open_on_disk(folder)? {
        store.compact().await?;
        store.close().await;
    }
    Ok(())
}

/// What becomes of an instance after its turns.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Last {
    /// A message waits for it.
    Waits,
    /// Nothing does.
    Rests,
    Deleted,
}

/// So many instances, each with these turns one after another.
async fn in_turns(
    store: &Arc<dyn Provider>,
    instances: usize,
    turns: u64,
    last: impl Fn(usize) -> Last + Copy + Send + 'static,
) -> Result {
    together((0..COMMITTERS).map(|committer| {
        let store = Arc::clone(store);
        async move {
            for number in (committer..instances).step_by(COMMITTERS) {
                one(&*store, number, turns, last(number)).await.map_err(|error| error.to_string())?;
            }
            Ok(())
        }
    }))
    .await
    .map(drop)
}

async fn one(store: &dyn Provider, number: usize, turns: u64, last: Last) -> Result {
    let instance = InstanceId::new(format!("instance-{number:08}"))?;
    let commit = (number as u128) << 64;
    for turn in 0..turns {
        let mut transaction = turn_of(&instance, commit | u128::from(turn), turn)?;
        if turn == 0 {
            let execution_id = ExecutionId::FIRST;
            transaction.ops.insert(0, TransactionOp::CreateExecution { instance: instance.clone(), execution_id });
        }
        if last == Last::Rests && turn + 1 == turns {
            transaction.ops.retain(|op| !matches!(op, TransactionOp::EnqueueWork { .. }));
        }
        store.atomic_batch(transaction).await?;
    }
    if last == Last::Deleted {
        let ops = vec![TransactionOp::DeleteInstance { instance }];
        store.atomic_batch(Transaction { fence: None, commit_id: CommitId(commit | u128::from(turns)), ops }).await?;
    }
    Ok(())
}
