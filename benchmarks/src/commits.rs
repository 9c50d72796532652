//! P1: how many commits a store makes a second, each on disk before it is answered; beside what the disk can do at most.

mod bare;
mod rounds;
mod sizes;
mod stores;

use std::sync::Arc;
use std::time::{Duration, Instant};

use bytes::Bytes;
use durable_runtime::providers::{CommitId, NewMessage, Provider, Queue, Transaction, TransactionOp};
use durable_runtime::{EventId, ExecutionId, InstanceId, MessageId};
use durable_workloads::{Engine as _, Figures, Line, Meter, RawFlushes, Result, millis, percentile};
use futures_util::future::try_join_all;
use serde_json::json;
use tempfile::TempDir;

use self::bare::{Bare, BareSled, RawFile};
use self::rounds::{Measured, median};
pub(crate) use self::sizes::open_at;
use self::sizes::{open, space};
pub(crate) use self::stores::Stores;
use crate::ours::{Ours, Settings};
use crate::store::Place;

/// Each number of committers is measured so often, for so long, each time beside the bare ones: a disk is not the same
/// from one second to the next.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Effort {
    rounds: usize,
    lasting: Duration,
}

impl Effort {
    pub(crate) const USUAL: Self = Self { rounds: 3, lasting: Duration::from_secs(2) };
    /// To see that it works.
    pub(crate) const QUICK: Self = Self { rounds: 1, lasting: Duration::from_millis(100) };
}

const EVENT_BYTES: usize = 200;

/// Commits of a turn each: three events of 200 bytes, a message taken and one put, a change of the metadata. So many
/// committers, each on an instance of its own. Beside it, one after the other: the bytes of the same turn appended to a
/// file with `fdatasync`, and put into sled alone with flush and `fdatasync`, each for all that wait at once.
pub(crate) async fn commits(store: Place, committers: usize, effort: Effort) -> Result<Line> {
    let folder = TempDir::new()?;
    let raw_flush = RawFlushes::before(folder.path())?;
    let opened = store.open(folder.path())?;
    let raw = Bare::start(RawFile::create(&folder.path().join("raw"))?);
    let sled = Bare::start(BareSled::open(&folder.path().join("bare-sled"))?);
    let mut all = Rates::default();
    for round in 0..effort.rounds {
        all.raw.push(bare::measure(&raw, committers, effort.lasting).await?.rate());
        all.sled.push(bare::measure(&sled, committers, effort.lasting).await?.rate());
        let meter = Meter::start(Vec::new())?;
        let mut measured = measure(&opened, (round, committers), effort.lasting).await?;
        all.processor.push(meter.read()?.1.as_secs_f64() * 1e6 / measured.durations.len() as f64);
        all.p50.push(millis(percentile(&mut measured.durations, 0.5)));
        all.p99.push(millis(percentile(&mut measured.durations, 0.99)));
        all.store.push(measured.rate());
    }
    opened.close().await;
    let figures = Figures::from(
        [
            ("commits_per_s", median(&mut all.store)),
            ("part_of_raw_appends_per_s", median(&mut all.store) / median(&mut all.raw)),
            ("part_of_bare_sled_per_s", median(&mut all.store) / median(&mut all.sled)),
            ("raw_appends_per_s", median(&mut all.raw)),
            ("bare_sled_per_s", median(&mut all.sled)),
            ("p50_ms", median(&mut all.p50)),
            ("p99_ms", median(&mut all.p99)),
            ("processor_us_per_commit", median(&mut all.processor)),
        ]
        .map(|(name, figure)| (name.to_owned(), figure)),
    );
    let options =
        json!({ "committers": committers, "rounds": effort.rounds, "seconds_each": effort.lasting.as_secs_f64() });
    let line = Line::new("P1", Ours::about(&Settings::of(store)), options, raw_flush.after()?, figures);
    Ok(line.part(format!("{committers} committers")))
}

#[derive(Default)]
struct Rates {
    store: Vec<f64>,
    raw: Vec<f64>,
    sled: Vec<f64>,
    p50: Vec<f64>,
    p99: Vec<f64>,
    processor: Vec<f64>,
}

async fn measure(
    store: &Arc<dyn Provider>,
    (round, committers): (usize, usize),
    lasting: Duration,
) -> Result<Measured> {
    rounds::run(committers, lasting, |committer, until| {
        let store = Arc::clone(store);
        async move {
            let instance = InstanceId::new(format!("instance-{round}-{committer}"))?;
            commit_until(&*store, &instance, ((round << 32 | committer) as u128) << 64, until).await
        }
    })
    .await
}

/// Commits one after another until the time is over; answers how long each took.
async fn commit_until(
    store: &dyn Provider,
    instance: &InstanceId,
    mut commit: u128,
    until: Instant,
) -> Result<Vec<Duration>> {
    let create = TransactionOp::CreateExecution { instance: instance.clone(), execution_id: ExecutionId::FIRST };
    store.atomic_batch(Transaction { fence: None, commit_id: CommitId(commit), ops: vec![create] }).await?;
    let mut durations = Vec::new();
    for turn in 0_u64.. {
        if Instant::now() >= until {
            break;
        }
        commit += 1;
        let (began, transaction) = (Instant::now(), turn_of(instance, commit, turn)?);
        store.atomic_batch(transaction).await?;
        durations.push(began.elapsed());
    }
    Ok(durations)
}

/// What a turn keeps.
fn turn_of(instance: &InstanceId, commit: u128, turn: u64) -> Result<Transaction> {
    let (data, queue) = (Bytes::from(vec![b'e'; EVENT_BYTES]), Queue::Turns(instance.clone()));
    let message = |turn: u64| MessageId::new(format!("message-{turn}"));
    let item = NewMessage {
        id: message(turn + 1)?,
        execution_id: ExecutionId::FIRST,
        topic: String::new(),
        tag: None,
        session: None,
        visible_at: None,
        data: data.clone(),
    };
    let ops = vec![
        TransactionOp::AppendHistory {
            instance: instance.clone(),
            execution_id: ExecutionId::FIRST,
            first: EventId(3 * turn + 1),
            events: vec![data.clone(); 3],
        },
        TransactionOp::CancelWork { queue: queue.clone(), items: vec![message(turn)?] },
        TransactionOp::EnqueueWork { queue, items: vec![item] },
        TransactionOp::PutMetadata { instance: instance.clone(), entries: vec![("status".to_owned(), Some(data))] },
    ];
    Ok(Transaction { fence: None, commit_id: CommitId(commit), ops })
}

/// All committers at once.
async fn together<F, T>(each: impl Iterator<Item = F>) -> Result<Vec<T>>
where
    F: Future<Output = std::result::Result<T, String>> + Send + 'static,
    T: Send + 'static,
{
    try_join_all(each.map(tokio::spawn)).await?.into_iter().map(|one| one.map_err(Into::into)).collect()
}
