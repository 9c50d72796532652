//! Power cuts: whatever of the writes since the last sync the disk has by then, the store opens, what was
//! acknowledged is there, and of each other transaction there is all or nothing.
//!
//! A cut store is made of two images of sled's data file and of the two of the log: what they had when each was last synced, and
//! what they have when the next sync of one of them begins, after sled's flush. Of the blocks in which they differ,
//! none, or a random part, is taken from the second. What this does not show: cuts while a store is being opened, and
//! what a file system loses of its own.

use std::collections::BTreeMap;
use std::fs;
use std::io;
use std::path::{Path, PathBuf};
use std::sync::{Arc, Mutex};

use bytes::Bytes;
use futures_util::future::join_all;

use super::{SledFolder, SledProvider, log};
use crate::clock::SystemClock;
use crate::ids::{EventId, ExecutionId, InstanceId, MessageId};
use crate::providers::kv::disk::{Disk, DiskFile, OsDisk};
use crate::providers::kv::engine::KvProvider;
use crate::providers::kv::folder::Folder;
use crate::providers::kv::gate::locked;
use crate::providers::kv::recover::recover;
use crate::providers::kv::store::{Opener, OrderedStore};
use crate::providers::{
    Capabilities, CommitId, Durability, Maintain as _, NewMessage, OpenError, OwnerId, Provider, Queue, Transaction,
    TransactionOp, TurnRequest,
};

const STORES: u64 = 5;
const ROUNDS_PER_STORE: u64 = 22;
const INSTANCES: u64 = 12;

/// The log is short, so that sled gets what is in it in every few waves.
const LOG_BYTES: u64 = 48 << 10;
const DATA: &str = "db";
const FILES: [&str; 3] = [DATA, log::NAMES[0], log::NAMES[1]];

type Files = BTreeMap<&'static str, Vec<u8>>;

/// What the disk has for sure, and what it may have.
struct Image {
    synced: Files,
    under_way: Files,
}

/// Watches the files of a store.
struct Watch {
    folder: PathBuf,
    state: Mutex<State>,
}

#[derive(Default)]
struct State {
    synced: Files,
    /// Before the sync of which file an image is to be taken.
    wanted: Option<&'static str>,
    image: Option<Image>,
}

impl Watch {
    fn read(&self, name: &str) -> Vec<u8> {
        fs::read(self.folder.join(name)).unwrap_or_default()
    }

    fn before(&self, name: &'static str) {
        let mut state = locked(&self.state);
        if state.wanted == Some(name) {
            state.wanted = None;
            let under_way = FILES.map(|name| (name, self.read(name))).into();
            state.image = Some(Image { synced: state.synced.clone(), under_way });
        }
    }

    fn after(&self, name: &'static str) {
        locked(&self.state).synced.insert(name, self.read(name));
    }
}

/// A folder of which the files are watched, if it is that of the store and not one that is to take its place.
struct Watched(Arc<Watch>, PathBuf);

struct WatchedFile {
    watch: Arc<Watch>,
    name: &'static str,
    file: Arc<dyn DiskFile>,
}

impl Watched {
    fn watch(&self, name: &str, file: io::Result<Arc<dyn DiskFile>>) -> io::Result<Arc<dyn DiskFile>> {
        if self.1 != self.0.folder {
            return file;
        }
        let name = FILES.into_iter().find(|known| *known == name).unwrap();
        Ok(Arc::new(WatchedFile { watch: self.0.clone(), name, file: file? }))
    }

    fn disk(&self) -> OsDisk {
        OsDisk(self.1.clone())
    }
}

impl Disk for Watched {
    fn list(&self) -> io::Result<Vec<String>> {
        self.disk().list()
    }

    fn open(&self, name: &str) -> io::Result<Arc<dyn DiskFile>> {
        let file = self.watch(name, self.disk().open(name));
        if let Some(name) = FILES.into_iter().find(|known| *known == name && self.1 == self.0.folder) {
            // Whatever a store is opened with was synced before.
            self.0.after(name);
        }
        file
    }

    fn create(&self, name: &str) -> io::Result<Arc<dyn DiskFile>> {
        self.watch(name, self.disk().create(name))
    }

    fn rename(&self, from: &str, to: &str) -> io::Result<()> {
        self.disk().rename(from, to)
    }

    fn remove(&self, name: &str) -> io::Result<()> {
        self.disk().remove(name)
    }

    fn sync_folder(&self) -> io::Result<()> {
        self.disk().sync_folder()
    }
}

impl DiskFile for WatchedFile {
    fn size(&self) -> io::Result<u64> {
        self.file.size()
    }

    fn read_at(&self, offset: u64, into: &mut [u8]) -> io::Result<()> {
        self.file.read_at(offset, into)
    }

    fn write_at(&self, offset: u64, bytes: &[u8]) -> io::Result<()> {
        self.file.write_at(offset, bytes)
    }

    fn cut(&self, bytes: u64) -> io::Result<()> {
        self.file.cut(bytes)
    }

    fn sync(&self) -> io::Result<()> {
        self.watch.before(self.name);
        self.file.sync()?;
        self.watch.after(self.name);
        Ok(())
    }
}

struct NeverAgain;

impl Opener for NeverAgain {
    fn open(&self) -> Result<Box<dyn OrderedStore>, OpenError> {
        panic!("no commit fails here")
    }
}

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

fn id(instance: u64) -> InstanceId {
    InstanceId::new(format!("instance {instance}")).unwrap()
}

fn message_id(step: u64) -> MessageId {
    MessageId::new(format!("step {step}")).unwrap()
}

fn data(instance: u64, step: u64, size: u64) -> Bytes {
    (0..size).map(|at| (instance * 7 + step * 13 + at) as u8).collect::<Vec<_>>().into()
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
    let mut ops = vec![
        TransactionOp::AppendHistory {
            instance: id.clone(),
            execution_id: ExecutionId::FIRST,
            first: EventId(step),
            events: vec![data.clone()],
        },
        TransactionOp::EnqueueWork { queue: Queue::Turns(id.clone()), items: vec![message] },
        TransactionOp::PutMetadata {
            instance: id.clone(),
            entries: vec![
                ("steps".to_owned(), Some(step.to_be_bytes().to_vec().into())),
                ("data".to_owned(), Some(data)),
            ],
        },
    ];
    if step == 1 {
        ops.insert(0, TransactionOp::CreateExecution { instance: id, execution_id: ExecutionId::FIRST });
    } else {
        ops.push(TransactionOp::CancelWork { queue: Queue::Turns(id), items: vec![message_id(step - 1)] });
    }
    ops
}

fn size(chance: &mut Chance) -> u64 {
    match chance.below(60) {
        // With all that says the same: more than sled is given between two syncs.
        0 => 600_000,
        1..=5 => 40_000,
        6..=11 => 4_000 + chance.below(300),
        12..=17 => 9_000,
        _ => chance.below(400),
    }
}

struct Run {
    provider: KvProvider<super::Sled>,
    folder: PathBuf,
    watch: Arc<Watch>,
    chance: Chance,
    ledger: Ledger,
    commits: u128,
}

impl Run {
    fn new(folder: &Path, seed: u64) -> Self {
        let taken = Folder::take(folder, "sled").unwrap();
        let watch = Arc::new(Watch { folder: folder.join("sled"), state: Mutex::default() });
        let of_store = watch.clone();
        let disk = Arc::new(move |path| Arc::new(Watched(of_store.clone(), path)) as Arc<dyn Disk>);
        let mut store = SledFolder { log_bytes: LOG_BYTES, disk, ..SledFolder::new(&taken, 16 << 20) }.open().unwrap();
        let recovered = recover(&mut store).unwrap();
        let capabilities = Capabilities::new("sled").persistent(Durability::Immediate);
        let opened: (Box<dyn OrderedStore>, _) = (Box::new(store), recovered);
        let provider = KvProvider::start(Box::new(NeverAgain), opened, Arc::new(SystemClock), capabilities).unwrap();
        let (chance, ledger) = (Chance(seed), (0..INSTANCES).map(|instance| (instance, None)).collect());
        Self { provider, folder: folder.to_owned(), watch, chance, ledger, commits: 0 }
    }

    /// Some instances make a step, or end, side by side; answers the ledger that holds when all are kept.
    async fn wave(&mut self) -> Ledger {
        let mut after = self.ledger.clone();
        let mut transactions = Vec::new();
        for (instance, steps) in &mut after {
            let ops = match self.chance.below(12) {
                0 if steps.is_some() => {
                    *steps = None;
                    vec![TransactionOp::DeleteInstance { instance: id(*instance) }]
                }
                1..=5 => {
                    let next = steps.unwrap_or_default() + 1;
                    *steps = Some(next);
                    step(*instance, next, size(&mut self.chance))
                }
                _ => continue,
            };
            self.commits += 1;
            transactions.push(Transaction { fence: None, commit_id: CommitId(self.commits), ops });
        }
        let commits = transactions.into_iter().map(|transaction| self.provider.atomic_batch(transaction));
        assert!(join_all(commits).await.iter().all(Result::is_ok));
        after
    }

    /// A wave in which the power fails, before this file is synced: what the disk may have then.
    async fn cut(&mut self, before: &'static str) -> (Image, Ledger) {
        for _ in 0..200 {
            locked(&self.watch.state).wanted = Some(before);
            let after = self.wave().await;
            let image = locked(&self.watch.state).image.take();
            if let Some(image) = image {
                return (image, after);
            }
            self.ledger = after;
        }
        panic!("`{before}` is never synced");
    }

    /// A copy of the store with these files.
    fn copy(&self, to: &Path, files: &Files) {
        fs::create_dir_all(to.join("sled/blobs")).unwrap();
        fs::copy(self.folder.join("durable.json"), to.join("durable.json")).unwrap();
        for entry in fs::read_dir(self.folder.join("sled")).unwrap() {
            let entry = entry.unwrap();
            if entry.file_type().unwrap().is_file() {
                fs::copy(entry.path(), to.join("sled").join(entry.file_name())).unwrap();
            }
        }
        for (name, bytes) in files {
            fs::write(to.join("sled").join(name), bytes).unwrap();
        }
    }
}

/// The first image with a random part of the blocks in which the second differs.
fn mixed(synced: &[u8], under_way: &[u8], chance: &mut Chance) -> Vec<u8> {
    let block = if chance.below(2) == 0 { 512 } else { 4096 };
    let share = chance.below(5);
    let mut mixed = synced.to_vec();
    if chance.below(4) > 0 {
        // The length of a file is kept by itself; what was not written of it reads as zeros.
        mixed.resize(under_way.len().max(synced.len()), 0);
    }
    for (to, from) in mixed.chunks_mut(block).zip(under_way.chunks(block)) {
        if to != from && to.len() == from.len() && chance.below(5) <= share {
            to.copy_from_slice(from);
        }
    }
    mixed
}

/// Every instance is as it was before the wave, or as it was to be after.
async fn check(folder: &Path, before: &Ledger, after: &Ledger, case: &str) {
    let store = SledProvider::open(folder).unwrap_or_else(|error| panic!("{case}: {error}"));
    let want = TurnRequest {
        owner: OwnerId::new("test"),
        max: 100,
        ttl: std::time::Duration::from_secs(99),
        wait: std::time::Duration::ZERO,
        instance: None,
        skills: None,
    };
    let turns = store.fetch_turns(want).await.unwrap();
    let mut queued: BTreeMap<_, _> = turns.into_iter().map(|turn| (turn.instance, turn.messages)).collect();
    for (instance, steps) in before {
        let id = id(*instance);
        let history = store.history(&id, ExecutionId::FIRST, EventId::FIRST, usize::MAX).await.unwrap();
        let record = store.instance(&id).await.unwrap();
        let found = record.as_ref().map(|_| history.len() as u64);
        assert!(found == *steps || found == after[instance], "{case}: {id} has {found:?}, not {steps:?}");
        let queued = queued.remove(&id).unwrap_or_default();
        let Some(record) = record else {
            assert!(history.is_empty() && queued.is_empty(), "{case}: residue of {id}");
            continue;
        };
        let last = history.last().unwrap();
        assert_eq!(record.metadata["steps"], last.id.0.to_be_bytes().as_slice(), "{case}: {id}");
        assert_eq!(
            queued.iter().map(|message| &message.id).collect::<Vec<_>>(),
            [&message_id(last.id.0)],
            "{case}: {id}"
        );
        let same = last.data == record.metadata["data"] && last.data == queued[0].data;
        assert!(same && last.data == data(*instance, last.id.0, last.data.len() as u64), "{case}: {id}");
    }
    store.close().await;
}

#[tokio::test]
async fn what_was_acknowledged_survives_a_power_cut() {
    let mut partly = FILES.map(|name| (name, 0)).into_iter().collect::<BTreeMap<_, _>>();
    for seed in 1..=STORES {
        let folder = tempfile::tempdir().unwrap();
        let mut run = Run::new(folder.path(), seed.wrapping_mul(0x9e37_79b9_7f4a_7c15));
        for round in 0..ROUNDS_PER_STORE {
            for _ in 0..run.chance.below(4) {
                run.ledger = run.wave().await;
            }
            if round % 7 == 5 {
                run.provider.compact().await.unwrap();
            }
            let before = FILES[run.chance.below(3) as usize];
            let (Image { synced, under_way }, after) = run.cut(before).await;
            let of_each = under_way.iter().map(|(name, bytes)| (*name, mixed(&synced[name], bytes, &mut run.chance)));
            let random: Files = of_each.collect();
            *partly.entry(before).or_default() += u64::from(random != synced && random != under_way);
            for (what, files) in [("all lost", &synced), ("a part lost", &random), ("nothing lost", &under_way)] {
                let cut = tempfile::tempdir().unwrap();
                run.copy(cut.path(), files);
                let case = format!("store {seed}, round {round}, before `{before}` was synced, {what}");
                check(cut.path(), &run.ledger, &after, &case).await;
            }
            run.ledger = after;
        }
    }
    // Otherwise the images were taken at the wrong moment, and the test says nothing.
    let rounds = STORES * ROUNDS_PER_STORE;
    assert!(partly.values().all(|partly| *partly >= rounds / 12), "only so many rounds lost a part: {partly:?}");
}
