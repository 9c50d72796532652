//! Power cuts: whatever of the writes since the last sync the disk has by then, the store opens, what was acknowledged
//! is there, and of the transaction under way there is all or nothing.
//!
//! A cut store is made of two images of the file and its log: one taken when the last commit was answered, and one after
//! the next. What differs was written in between, with one sync in it, at the end of the log: so a cut before that sync
//! leaves any part of the log's new blocks and nothing of the file's, and if pages were moved into the file afterwards,
//! a cut leaves the whole log and any part of those. When SQLite begins the log anew, the pages of the old one are in the
//! file and synced, and so is the new header before anything is written behind it: no cut leaves an old header before new
//! blocks, which would make a part of the old log the newest there is. Leases are not synced and are part of what can be
//! lost. The shared memory is always lost; the mark beside the store is never newer than the log, and may be missing. What
//! this does not show: cuts while a store is being made, what a file system loses of its own, and that there is a sync at
//! all: that is SQLite's promise at `synchronous=FULL`, and whether commits ask for it is looked at below.

use std::collections::BTreeMap;
use std::fs;
use std::path::{Path, PathBuf};
use std::time::Duration;

use bytes::Bytes;
use futures_util::future::join_all;

use super::session::SqliteSession;
use super::{Settings, SqliteOptions, SqliteProvider};
use crate::ids::{EventId, ExecutionId, InstanceId, MessageId};
use crate::providers::sql::session::Session;
use crate::providers::{CommitId, NewMessage, OwnerId, Provider, Queue, Transaction, TransactionOp, TurnRequest};

const STORES: u64 = 5;
const ROUNDS_PER_STORE: u64 = 22;
const INSTANCES: u64 = 12;
const FILE: &str = "store.db";
const LOG: &str = "store.db-wal";
const MARK: &str = "store.db-handle-1";
const LOG_HEADER_BYTES: usize = 32;

/// Small and well spread, the same on every machine.
struct Chance(u64);

impl Chance {
    fn below(&mut self, bound: u64) -> u64 {
        self.0 ^= self.0 << 13;
        self.0 ^= self.0 >> 7;
        self.0 ^= self.0 << 17;
        self.0 % bound
    }
}

/// How many steps an instance has made; `None` if it does not exist.
type Ledger = BTreeMap<u64, Option<u64>>;

/// What the disk has, by file.
#[derive(Clone, PartialEq)]
struct Image {
    file: Vec<u8>,
    log: Vec<u8>,
    mark: Option<Vec<u8>>,
}

impl Image {
    /// What all of them had at one moment: pages are moved, and leases expire, while they are read.
    fn of(folder: &Path) -> Self {
        let read = |name: &str| fs::read(folder.join(name)).unwrap();
        let all = || Self { file: read(FILE), log: read(LOG), mark: Some(read(MARK)) };
        let mut image = all();
        loop {
            let again = all();
            if image == again {
                return image;
            }
            image = again;
        }
    }

    /// Which log it is: another when it was begun anew.
    fn header(&self) -> &[u8] {
        &self.log[..LOG_HEADER_BYTES]
    }

    fn write(&self, folder: &Path) {
        fs::write(folder.join(FILE), &self.file).unwrap();
        fs::write(folder.join(LOG), &self.log).unwrap();
        if let Some(mark) = &self.mark {
            fs::write(folder.join(MARK), mark).unwrap();
        }
    }
}

fn id(instance: u64) -> InstanceId {
    InstanceId::new(format!("instance {instance}")).unwrap()
}

fn message_id(step: u64) -> MessageId {
    MessageId::new(format!("step {step}")).unwrap()
}

fn data(instance: u64, step: u64, size: u64) -> Bytes {
    (0..size).map(|at| (instance * 7 + step * 13 + at) as u8).collect::<Vec<_>>().into()
}

fn size(chance: &mut Chance) -> u64 {
    match chance.below(10) {
        0 => 40_000,
        1 => 4_000 + chance.below(300),
        2 => 9_000,
        _ => chance.below(400),
    }
}

/// One step: an event, a message in the place of the one before, and the number of the step. All say the same.
fn step(instance: u64, step: u64, size: u64) -> Vec<TransactionOp> {
    let (id, data) = (id(instance), data(instance, step, size));
    let message = NewMessage {
        id: message_id(step),
        execution_id: ExecutionId::FIRST,
        topic: String::new(),
        tag: None,
        session: None,
        visible_at: None,
        data: data.clone(),
    };
    let steps = Bytes::copy_from_slice(&step.to_be_bytes());
    let entries = vec![("steps".to_owned(), Some(steps)), ("data".to_owned(), Some(data.clone()))];
    let mut ops = vec![
        TransactionOp::AppendHistory {
            instance: id.clone(),
            execution_id: ExecutionId::FIRST,
            first: EventId(step),
            events: vec![data],
        },
        TransactionOp::EnqueueWork { queue: Queue::Turns(id.clone()), items: vec![message] },
        TransactionOp::PutMetadata { instance: id.clone(), entries },
    ];
    if step == 1 {
        ops.insert(0, TransactionOp::CreateExecution { instance: id, execution_id: ExecutionId::FIRST });
    } else {
        ops.push(TransactionOp::CancelWork { queue: Queue::Turns(id), items: vec![message_id(step - 1)] });
    }
    ops
}

fn turns(ttl: Duration) -> TurnRequest {
    TurnRequest { owner: OwnerId::new("test"), max: 100, ttl, wait: Duration::ZERO, instance: None, skills: None }
}

struct Run {
    provider: SqliteProvider,
    folder: PathBuf,
    chance: Chance,
    ledger: Ledger,
    commits: u128,
}

impl Run {
    fn new(folder: &Path, seed: u64) -> Self {
        // So that pages are moved into the file every few commits.
        let settings = Settings { cache_bytes: 1 << 20, checkpoint_pages: 60, bytes_max: None };
        let options = SqliteOptions { settings, ..SqliteProvider::options() };
        let provider = options.open(folder.join(FILE)).unwrap();
        let ledger = (0..INSTANCES).map(|instance| (instance, None)).collect();
        Self { provider, folder: folder.to_owned(), chance: Chance(seed), ledger, commits: 0 }
    }

    /// Some instances make a step, or end: what each does, and the ledger that holds when all is kept.
    fn wave(&mut self) -> (Vec<Vec<TransactionOp>>, Ledger) {
        let (mut after, mut transactions) = (self.ledger.clone(), Vec::new());
        for (instance, steps) in &mut after {
            match self.chance.below(12) {
                0 if steps.is_some() => {
                    *steps = None;
                    transactions.push(vec![TransactionOp::DeleteInstance { instance: id(*instance) }]);
                }
                1..=5 => {
                    let next = steps.unwrap_or_default() + 1;
                    *steps = Some(next);
                    transactions.push(step(*instance, next, size(&mut self.chance)));
                }
                _ => {}
            }
        }
        (transactions, after)
    }

    async fn keep(&mut self, transactions: Vec<Vec<TransactionOp>>) {
        let first = self.commits + 1;
        self.commits += transactions.len() as u128;
        let commits = (first..)
            .map(CommitId)
            .zip(transactions)
            .map(|(commit_id, ops)| self.provider.atomic_batch(Transaction { fence: None, commit_id, ops }));
        assert!(join_all(commits).await.iter().all(Result::is_ok));
    }

    /// A wave in one transaction in which the power fails: what the disk has for certain, what it has afterwards, and
    /// the ledger that holds then.
    async fn cut(&mut self) -> (Image, Image, Ledger) {
        let mut synced = Image::of(&self.folder);
        self.provider.fetch_turns(turns(Duration::from_millis(1))).await.unwrap();
        let leased = Image::of(&self.folder);
        if leased.file != synced.file {
            // Pages were moved into the file, which syncs all there is.
            synced = leased.clone();
        }
        let (transactions, after) = self.wave();
        self.keep(vec![transactions.concat()]).await;
        let written = Image::of(&self.folder);
        if leased.file != written.file && leased.header() != written.header() {
            // A lease that expired may have begun the log anew behind the wave: then all of that is synced.
            synced = written.clone();
        }
        (synced, written, after)
    }
}

/// The first bytes with a random part of the blocks in which the second differ.
fn mixed(synced: &[u8], written: &[u8], chance: &mut Chance) -> Vec<u8> {
    let block = if chance.below(2) == 0 { 512 } else { 4096 };
    let share = chance.below(5);
    let mut mixed = synced.to_vec();
    if chance.below(4) > 0 {
        // The length of a file is kept by itself; what was not written of it reads as zeros.
        mixed.resize(written.len().max(synced.len()), 0);
    }
    for (to, from) in mixed.chunks_mut(block).zip(written.chunks(block)) {
        if to != from && to.len() == from.len() && chance.below(5) <= share {
            to.copy_from_slice(from);
        }
    }
    mixed
}

/// What the disk may have when the power fails between the two.
fn part(synced: &Image, written: &Image, chance: &mut Chance) -> Image {
    let mark = |chance: &mut Chance, mark: &Image| if chance.below(4) == 0 { None } else { mark.mark.clone() };
    if written.file != synced.file && chance.below(2) == 0 {
        let file = mixed(&synced.file, &written.file, chance);
        return Image { file, log: written.log.clone(), mark: mark(chance, written) };
    }
    let mut log = mixed(&synced.log, &written.log, chance);
    log[..LOG_HEADER_BYTES].copy_from_slice(written.header());
    Image { file: synced.file.clone(), log, mark: mark(chance, synced) }
}

/// All instances are as they were before, or all as they were to be after.
async fn check(folder: &Path, before: &Ledger, after: &Ledger, case: &str) {
    let store = SqliteProvider::open(folder.join(FILE)).unwrap_or_else(|error| panic!("{case}: {error}"));
    let leased = store.fetch_turns(turns(Duration::from_secs(99))).await.unwrap();
    let mut queued: BTreeMap<_, _> = leased.into_iter().map(|turn| (turn.instance, turn.messages)).collect();
    let mut found = Ledger::new();
    for instance in before.keys() {
        let id = id(*instance);
        let history = store.history(&id, ExecutionId::FIRST, EventId::FIRST, usize::MAX).await.unwrap();
        let record = store.instance(&id).await.unwrap();
        found.insert(*instance, record.as_ref().map(|_| history.len() as u64));
        let queued = queued.remove(&id).unwrap_or_default();
        let Some(record) = record else {
            assert!(history.is_empty() && queued.is_empty(), "{case}: residue of {id}");
            continue;
        };
        let last = history.last().unwrap();
        assert_eq!(record.metadata["steps"], last.id.0.to_be_bytes().as_slice(), "{case}: {id}");
        let waiting: Vec<_> = queued.iter().map(|message| &message.id).collect();
        assert_eq!(waiting, [&message_id(last.id.0)], "{case}: {id}");
        let same = last.data == record.metadata["data"] && last.data == queued[0].data;
        assert!(same && last.data == data(*instance, last.id.0, last.data.len() as u64), "{case}: {id}");
    }
    assert!(found == *before || found == *after, "{case}: {found:?} is neither {before:?} nor {after:?}");
    store.close().await;
}

#[tokio::test]
async fn what_was_acknowledged_survives_a_power_cut() {
    let (mut partly, mut moved) = (0, 0);
    for seed in 1..=STORES {
        let folder = tempfile::tempdir().unwrap();
        let mut run = Run::new(folder.path(), seed.wrapping_mul(0x9e37_79b9_7f4a_7c15));
        for round in 0..ROUNDS_PER_STORE {
            for _ in 0..run.chance.below(4) {
                let (transactions, after) = run.wave();
                run.keep(transactions).await;
                run.ledger = after;
            }
            let (synced, written, after) = run.cut().await;
            let random = part(&synced, &written, &mut run.chance);
            moved += u64::from(synced.file != written.file);
            partly += u64::from((&random.file, &random.log) != (&synced.file, &synced.log) && random != written);
            for (what, image) in [("all lost", synced), ("a part lost", random)] {
                let cut = tempfile::tempdir().unwrap();
                image.write(cut.path());
                check(cut.path(), &run.ledger, &after, &format!("store {seed}, round {round}, {what}")).await;
            }
            // The whole of it must be there.
            let cut = tempfile::tempdir().unwrap();
            written.write(cut.path());
            check(cut.path(), &after, &after, &format!("store {seed}, round {round}, nothing lost")).await;
            run.ledger = after;
        }
    }
    println!("{partly} rounds lost a part, in {moved} pages were moved into the file");
    // Otherwise the images were taken at the wrong moment, and the test says nothing.
    assert!(partly >= STORES * ROUNDS_PER_STORE / 2 && moved >= STORES, "{partly} lost a part, {moved} moved pages");
}

#[test]
fn commits_ask_for_a_sync_and_leases_do_not() {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join(FILE);
    fs::write(&path, "").unwrap();
    let mut session =
        SqliteSession::open(&path, Settings { cache_bytes: 1 << 20, checkpoint_pages: 60, bytes_max: None }).unwrap();
    for (sync, expected) in [(true, 2), (false, 1), (false, 1), (true, 2)] {
        session.begin_write(sync).unwrap();
        let asked: i64 = session.connection().pragma_query_value(None, "synchronous", |row| row.get(0)).unwrap();
        assert_eq!(asked, expected);
        session.commit().unwrap();
    }
}
