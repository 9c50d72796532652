//! The engine over a store that fails, hesitates and forgets what was not synced.

use std::collections::BTreeMap;
use std::ops::Range;
use std::path::PathBuf;
use std::sync::mpsc::{Receiver, Sender, channel};
use std::sync::{Arc, Mutex};
use std::time::Duration;

use bytes::Bytes;
use futures_util::FutureExt;
use futures_util::future::join;

use super::engine::KvProvider;
use super::gate::locked;
use super::memory::MemoryStore;
use super::recover::recover;
use super::store::{Batch, Opener, Order, OrderedStore, Pair, StoreError};
use crate::ids::{ExecutionId, InstanceId, MessageId};
use crate::providers::{
    BatchResult, Capabilities, CommitError, CommitId, Durability, ErrorKind, NewMessage, OpenError, OwnerId,
    PageRequest, Provider, Queue, Transaction, TransactionOp, TurnRequest,
};
use crate::testing::ManualClock;

/// What goes wrong next.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Fault {
    None,
    /// Applying fails.
    Apply,
    /// Applying panics.
    Panic,
    /// Syncing fails, and nothing of it is on disk.
    SyncLost,
    /// Syncing fails, and yet all of it is on disk.
    SyncKept,
    /// As `SyncLost`, and then the store cannot be opened.
    Away,
}

type Keys = BTreeMap<Vec<u8>, Option<Vec<u8>>>;

/// The disk, the fault to come, and a gate that syncs wait at.
#[derive(Clone)]
struct Disk {
    keys: Arc<Mutex<Keys>>,
    fault: Arc<Mutex<Fault>>,
    pass: Arc<Mutex<Option<Receiver<()>>>>,
}

struct Faulty {
    disk: Disk,
    cache: MemoryStore,
    unsynced: Mutex<Batch>,
}

impl OrderedStore for Faulty {
    fn get(&self, key: &[u8]) -> Result<Option<Bytes>, StoreError> {
        self.cache.get(key)
    }

    fn scan(&self, range: Range<&[u8]>, order: Order, limit: usize) -> Result<Vec<Pair>, StoreError> {
        self.cache.scan(range, order, limit)
    }

    fn apply(&mut self, batch: Batch) -> Result<(), StoreError> {
        match *locked(&self.disk.fault) {
            Fault::Apply => return Err(StoreError::Other("no".to_owned())),
            Fault::Panic => panic!("the store has a bug"),
            _ => {}
        }
        locked(&self.unsynced).extend(batch.clone());
        self.cache.apply(batch)
    }

    fn sync(&self) -> Result<(), StoreError> {
        if let Some(pass) = &*locked(&self.disk.pass) {
            pass.recv().unwrap();
        }
        let fault = *locked(&self.disk.fault);
        if matches!(fault, Fault::None | Fault::SyncKept) {
            locked(&self.disk.keys).extend(std::mem::take(&mut *locked(&self.unsynced)));
        }
        if fault == Fault::None { Ok(()) } else { Err(std::io::Error::other("no").into()) }
    }
}

impl Opener for Disk {
    fn open(&self) -> Result<Box<dyn OrderedStore>, OpenError> {
        if *locked(&self.fault) == Fault::Away {
            return Err(OpenError::Corrupt { path: PathBuf::new(), message: "not now".to_owned() });
        }
        // A fault hits one handle.
        *locked(&self.fault) = Fault::None;
        let mut cache = MemoryStore::default();
        cache.apply(locked(&self.keys).clone().into_iter().collect()).unwrap();
        Ok(Box::new(Faulty { disk: self.clone(), cache, unsynced: Mutex::default() }))
    }
}

enum OnFaulty {}

struct Case {
    provider: KvProvider<OnFaulty>,
    disk: Disk,
    clock: ManualClock,
}

fn case() -> Case {
    let (clock, disk) = (
        ManualClock::new(),
        Disk { keys: Arc::default(), fault: Arc::new(Mutex::new(Fault::None)), pass: Arc::default() },
    );
    let mut store = disk.open().unwrap();
    let recovered = recover(&mut *store).unwrap();
    let capabilities = Capabilities::new("faulty").persistent(Durability::Immediate).takes_turns();
    let provider =
        KvProvider::start(Box::new(disk.clone()), (store, recovered), Arc::new(clock.clone()), capabilities).unwrap();
    Case { provider, disk, clock }
}

impl Case {
    fn fault(&self, fault: Fault) {
        *locked(&self.disk.fault) = fault;
    }

    /// From now on each sync waits for one word.
    fn hesitate(&self) -> Sender<()> {
        let (go, pass) = channel();
        *locked(&self.disk.pass) = Some(pass);
        go
    }

    async fn start(&self, commit: u128, instance: &str) -> Result<BatchResult, CommitError> {
        self.provider.atomic_batch(start(commit, instance)).await
    }

    async fn leased(&self) -> Vec<String> {
        let turns = self.provider.fetch_turns(turns()).await.unwrap();
        turns.into_iter().map(|turn| turn.instance.to_string()).collect()
    }
}

fn id(text: &str) -> InstanceId {
    InstanceId::new(text).unwrap()
}

fn turns() -> TurnRequest {
    let (ttl, wait) = (Duration::from_secs(30), Duration::ZERO);
    TurnRequest { owner: OwnerId::new("test"), max: 10, ttl, wait, instance: None, skills: None }
}

fn start(commit: u128, instance: &str) -> Transaction {
    let message = NewMessage {
        id: MessageId::new("start").unwrap(),
        execution_id: ExecutionId::FIRST,
        topic: String::new(),
        tag: None,
        session: None,
        visible_at: None,
        data: Bytes::new(),
    };
    let ops = vec![
        TransactionOp::CreateExecution { instance: id(instance), execution_id: ExecutionId::FIRST },
        TransactionOp::EnqueueWork { queue: Queue::Turns(id(instance)), items: vec![message] },
    ];
    Transaction { fence: None, commit_id: CommitId(commit), ops }
}

fn kind(result: Result<BatchResult, CommitError>) -> ErrorKind {
    match result {
        Err(CommitError::Provider(error)) => error.kind(),
        other => panic!("{other:?}"),
    }
}

#[tokio::test]
async fn an_ambiguous_commit_can_be_handed_over_again() {
    for fault in [Fault::Apply, Fault::Panic, Fault::SyncLost, Fault::SyncKept] {
        let case = case();
        case.start(1, "before").await.unwrap();
        case.fault(fault);
        assert_eq!(kind(case.start(2, "a").await), ErrorKind::Ambiguous, "{fault:?}");
        let kept = case.provider.instance(&id("a")).await.unwrap().is_some();
        assert_eq!(kept, fault == Fault::SyncKept, "{fault:?}");
        case.start(2, "a").await.unwrap();
        assert_eq!(case.leased().await, ["before", "a"], "{fault:?}");
        assert_eq!(case.provider.stats().await.unwrap().instances, 2, "{fault:?}");
    }
}

#[tokio::test]
async fn leases_end_with_the_handle_and_fences_grow() {
    let case = case();
    case.start(1, "a").await.unwrap();
    let old = case.provider.fetch_turns(turns()).await.unwrap().remove(0).lock_token;
    case.fault(Fault::SyncLost);
    assert_eq!(kind(case.start(2, "b").await), ErrorKind::Ambiguous);
    let release = vec![TransactionOp::ReleaseLock { delay: None, give_back_attempt: false }];
    let late = Transaction { fence: Some(old.clone()), commit_id: CommitId(3), ops: release };
    assert!(matches!(case.provider.atomic_batch(late).await, Err(CommitError::LeaseLost(lost)) if lost == old));
    assert!(case.provider.fetch_turns(turns()).await.unwrap().remove(0).lock_token.fence > old.fence);
}

#[tokio::test]
async fn a_store_that_is_away_says_so_and_comes_back_by_itself() {
    let case = case();
    case.start(1, "a").await.unwrap();
    case.fault(Fault::Away);
    assert_eq!(kind(case.start(2, "b").await), ErrorKind::Ambiguous);
    assert_eq!(kind(case.start(2, "b").await), ErrorKind::Unavailable);
    assert_eq!(case.provider.instance(&id("a")).await.unwrap_err().kind(), ErrorKind::Unavailable);
    let waiting = TurnRequest { wait: Duration::from_secs(99), ..turns() };
    assert_eq!(case.provider.fetch_turns(waiting).await.unwrap_err().kind(), ErrorKind::Unavailable);
    case.fault(Fault::None);
    case.clock.advance(Duration::from_secs(1));
    // The committer looks before it takes the next transaction.
    case.start(2, "b").await.unwrap();
    assert_eq!(case.leased().await, ["a", "b"]);
}

#[tokio::test]
async fn nothing_is_shown_before_it_is_on_disk() {
    let case = case();
    case.start(1, "a").await.unwrap();
    let go = case.hesitate();
    let mut commit = case.provider.atomic_batch(start(2, "b"));
    assert!((&mut commit).now_or_never().is_none());
    // Seen by nobody, however long it takes: reads of `b` wait, and so do lists, while `a` is read at once.
    let (a, b) = (id("a"), id("b"));
    let page = PageRequest { limit: 10, ..PageRequest::default() };
    // Whether or not the batch is applied yet, `b` must not be seen.
    let mut read = case.provider.instance(&b);
    let early = (&mut read).now_or_never();
    assert!(early.is_none() || early.is_some_and(|record| record.unwrap().is_none()));
    assert!(case.provider.instance(&a).now_or_never().unwrap().unwrap().is_some());
    assert_eq!(case.leased().await, ["a"]);
    go.send(()).unwrap();
    commit.await.unwrap();
    assert_eq!(case.provider.instances(page).await.unwrap().instances.len(), 2);
    assert_eq!(case.leased().await, ["b"]);
}

#[tokio::test]
async fn a_read_waits_for_the_flush_that_is_under_way() {
    let case = case();
    let go = case.hesitate();
    let mut commit = case.provider.atomic_batch(start(1, "a"));
    assert!((&mut commit).now_or_never().is_none());
    // The committer applies the batch on its own thread; from then on the read waits.
    let instance = id("a");
    let read = loop {
        let mut read = case.provider.instance(&instance);
        match (&mut read).now_or_never() {
            Some(early) => assert!(early.unwrap().is_none()),
            None => break read,
        }
        std::thread::yield_now();
    };
    go.send(()).unwrap();
    let (record, kept) = join(read, commit).await;
    kept.unwrap();
    assert_eq!(record.unwrap().unwrap().revision, 1);
}

#[tokio::test]
async fn a_transaction_is_kept_though_nobody_waits_for_the_answer() {
    let case = case();
    let mut commit = case.provider.atomic_batch(start(1, "a"));
    assert!((&mut commit).now_or_never().is_none());
    drop(commit);
    case.start(2, "b").await.unwrap();
    assert_eq!(case.leased().await, ["a", "b"]);
}

#[tokio::test]
async fn many_transactions_share_one_flush() {
    let case = case();
    let go = case.hesitate();
    let mut first = case.provider.atomic_batch(start(0, "first"));
    assert!((&mut first).now_or_never().is_none());
    let names: Vec<String> = (1..100).map(|n| format!("i{n}")).collect();
    let rest = names.iter().zip(1..).map(|(name, commit)| case.start(commit, name));
    let mut all = futures_util::future::join_all(rest).boxed();
    assert!((&mut all).now_or_never().is_none());
    // One word for the group that was under way, one for all that gathered meanwhile.
    go.send(()).unwrap();
    go.send(()).unwrap();
    first.await.unwrap();
    assert!(all.await.iter().all(Result::is_ok));
    assert_eq!(case.provider.stats().await.unwrap().instances, 100);
    // The close has nothing left to sync.
    case.provider.close().await;
}

#[tokio::test]
async fn groups_are_counted_with_their_sizes_and_times() {
    let case = case();
    let go = case.hesitate();
    let mut first = case.provider.atomic_batch(start(0, "first"));
    assert!((&mut first).now_or_never().is_none());
    // The committer has taken it: a read of it waits.
    let early = id("first");
    while case.provider.instance(&early).now_or_never().is_some() {
        std::thread::yield_now();
    }
    let mut rest = futures_util::future::join_all([case.start(1, "a"), case.start(2, "b"), case.start(3, "c")]).boxed();
    assert!((&mut rest).now_or_never().is_none());
    case.clock.advance(Duration::from_millis(7));
    go.send(()).unwrap();
    first.await.unwrap();
    go.send(()).unwrap();
    assert!(rest.await.iter().all(Result::is_ok));
    case.provider.atomic_batch(start(3, "c")).await.unwrap(); // known by its name: no group
    let groups = case.provider.groups();
    assert_eq!((groups.sizes.count, groups.sizes.sum, groups.sizes.max), (2, 4, 3));
    assert_eq!((groups.times.count, groups.times.total_time()), (2, Duration::from_millis(7)));
    case.provider.close().await;
}

#[tokio::test]
async fn a_group_has_at_most_about_a_mebibyte() {
    let case = case();
    let go = case.hesitate();
    let mut first = case.provider.atomic_batch(start(0, "first"));
    assert!((&mut first).now_or_never().is_none());
    // The committer has taken it, and nothing else joins its group.
    let early = id("first");
    while case.provider.instance(&early).now_or_never().is_some() {
        std::thread::yield_now();
    }
    let large = |n: u128| {
        let mut transaction = start(n, &format!("i{n}"));
        let entries = vec![("large".to_owned(), Some(vec![7; 100 << 10].into()))];
        transaction.ops.push(TransactionOp::PutMetadata { instance: id(&format!("i{n}")), entries });
        case.provider.atomic_batch(transaction)
    };
    let mut all = futures_util::future::join_all((1..=30).map(large)).boxed();
    assert!((&mut all).now_or_never().is_none());
    let words = 50;
    (0..words).for_each(|_| go.send(()).unwrap());
    first.await.unwrap();
    assert!(all.await.iter().all(Result::is_ok));
    case.provider.close().await;
    let left = locked(&case.disk.pass).as_ref().unwrap().try_iter().count();
    assert!((4..8).contains(&(words - left)), "the first alone, and 3 MiB in three groups or four: {}", words - left);
}
