//! A disk that is really full: a small file system in memory. Whether the store has filled it or somebody else: the error
//! says so, what was acknowledged is there, deleting is possible, and with space all goes on by itself.

use std::fs::{self, File};
use std::io::Write as _;
use std::path::{Path, PathBuf};

use bytes::Bytes;
#[cfg(feature = "sqlite")]
use durable_runtime::SqliteProvider;
use durable_runtime::providers::{
    CommitError, CommitId, ErrorKind, Maintain as _, NewMessage, OpenError, ProviderError, Queue, Transaction,
    TransactionOp,
};
use durable_runtime::{EventId, ExecutionId, FsProvider, InstanceId, MessageId, Provider, SledProvider};

use super::small_disk::on_a_small_disk;
use super::watch::block_on;

const BYTES: usize = 3_000;

fn id(number: u128) -> InstanceId {
    InstanceId::new(format!("i{number}")).unwrap()
}

fn everything(number: u128) -> Vec<TransactionOp> {
    let (instance, data) = (id(number), Bytes::from(vec![b'x'; BYTES]));
    let message = NewMessage {
        id: MessageId::new("m").unwrap(),
        execution_id: ExecutionId::FIRST,
        topic: "work".to_owned(),
        tag: None,
        session: None,
        visible_at: None,
        data: data.clone(),
    };
    let (execution_id, first) = (ExecutionId::FIRST, EventId::FIRST);
    vec![
        TransactionOp::CreateExecution { instance: instance.clone(), execution_id },
        TransactionOp::AppendHistory { instance: instance.clone(), execution_id, first, events: vec![data.clone()] },
        TransactionOp::EnqueueWork { queue: Queue::Turns(instance.clone()), items: vec![message] },
        TransactionOp::PutMetadata { instance, entries: vec![("output".to_owned(), Some(data))] },
    ]
}

/// A store on a small disk, and what is in it.
struct Case<P> {
    store: P,
    path: PathBuf,
    kept: Vec<u128>,
    next: u128,
    commits: u128,
}

impl<P: Provider> Case<P> {
    async fn commit(&mut self, ops: Vec<TransactionOp>) -> Result<(), CommitError> {
        self.commits += 1;
        let commit_id = CommitId(self.commits);
        self.store.atomic_batch(Transaction { fence: None, commit_id, ops }).await.map(drop)
    }

    /// Starts one; `false` if there is no space.
    async fn start(&mut self) -> bool {
        self.next += 1;
        match self.commit(everything(self.next)).await {
            Ok(()) => {
                self.kept.push(self.next);
                true
            }
            Err(CommitError::Provider(error)) => {
                is_full(&error);
                false
            }
            Err(other) => panic!("{other}"),
        }
    }

    async fn fill(&mut self) -> usize {
        let before = self.kept.len();
        while self.start().await {}
        self.kept.len() - before
    }

    /// Deletes the older half, one after another.
    async fn delete_half(&mut self) {
        for number in self.kept.drain(..self.kept.len() / 2).collect::<Vec<_>>() {
            let deleted = self.delete(number).await;
            deleted.unwrap_or_else(|error| panic!("deleting is possible: {error}"));
        }
    }

    async fn delete(&mut self, number: u128) -> Result<(), CommitError> {
        self.commit(vec![TransactionOp::DeleteInstance { instance: id(number) }]).await
    }

    async fn all_there(&self) {
        self.read_all().await.unwrap();
    }

    async fn read_all(&self) -> Result<(), ProviderError> {
        assert_eq!(self.store.stats().await?.instances, self.kept.len() as u64);
        for number in &self.kept {
            let record = self.store.instance(&id(*number)).await?.unwrap();
            assert_eq!(record.metadata["output"].len(), BYTES);
            let history = self.store.history(&id(*number), ExecutionId(1), EventId(1), 9).await?;
            assert_eq!(history[0].data.len(), BYTES);
        }
        Ok(())
    }
}

fn is_full(error: &ProviderError) {
    assert_eq!(error.kind(), ErrorKind::Full, "{error}");
    assert!(error.is_transient(), "with space it is kept");
}

async fn fills_it<P: Provider>(path: PathBuf, open: impl Fn(&Path) -> Result<P, OpenError>) {
    let mut case = Case { store: open(&path).unwrap(), path, kept: Vec::new(), next: 0, commits: 0 };
    let first = case.fill().await;
    assert!(first > 50, "only {first} fit");
    case.all_there().await;
    // A handle that was opened on a full disk has all of it too.
    case.store.close().await;
    case.store = open(&case.path).unwrap();
    case.all_there().await;
    for _ in 0..3 {
        // Deleting makes space, without a restart.
        case.delete_half().await;
        case.all_there().await;
        let more = case.fill().await;
        assert!(more > first / 10, "only {more} more fit after {first}");
        case.all_there().await;
    }
    others_fill_it(&mut case, open).await;
    case.store.close().await;
}

/// Somebody else takes all there is, to the last byte, and gives it back.
async fn others_fill_it<P: Provider>(case: &mut Case<P>, open: impl Fn(&Path) -> Result<P, OpenError>) {
    case.delete_half().await;
    let stranger = take_all_there_is(&case.path);
    case.fill().await;
    case.all_there().await;
    case.delete_half().await;
    case.all_there().await;
    fs::remove_file(&stranger).unwrap();
    assert!(case.start().await, "with space it goes on by itself");
    case.all_there().await;
    case.store.close().await;
    case.store = open(&case.path).unwrap();
    case.all_there().await;
}

/// A file beside the store that has all the rest of the disk.
fn take_all_there_is(store: &Path) -> PathBuf {
    let stranger = store.with_file_name("stranger");
    let mut file = File::create(&stranger).unwrap();
    while file.write_all(&[7; 4_096]).is_ok() {}
    stranger
}

#[test]
fn of_plain_files() {
    on_a_small_disk("providers::full::of_plain_files", 12, |folder, _| {
        let open = |path: &Path| FsProvider::options().segment_bytes(64 << 10).open(path);
        block_on(fills_it(folder.join("store"), open));
    });
}

#[cfg(feature = "sqlite")]
#[test]
fn of_sqlite() {
    on_a_small_disk("providers::full::of_sqlite", 24, |folder, _| {
        block_on(fills_it(folder.join("store"), |path: &Path| SqliteProvider::open(path)));
    });
}

/// sled gives nothing back to the disk but by compacting.
#[test]
fn of_sled() {
    on_a_small_disk("providers::full::of_sled", 176, |folder, _| {
        block_on(async {
            let path = folder.join("store");
            let store = SledProvider::open(&path).unwrap();
            let mut case = Case { store, path, kept: Vec::new(), next: 0, commits: 0 };
            let first = case.fill().await;
            assert!(first > 500, "only {first} fit");
            case.all_there().await;
            case.store.close().await;
            case.store = SledProvider::open(&case.path).unwrap();
            case.all_there().await;
            for _ in 0..3 {
                case.delete_half().await;
                case.all_there().await;
            }
            case.store.compact().await.unwrap();
            case.all_there().await;
            let more = case.fill().await;
            assert!(more > first / 2, "only {more} more fit after {first}");
            for _ in 0..3 {
                case.delete_half().await;
            }
            case.store.compact().await.unwrap();
            others_fill_it(&mut case, |path: &Path| SledProvider::open(path)).await;
            case.store.close().await;
        });
    });
}

/// Not even the reserve is there: what was acknowledged stays in the log, which has its space already, though sled can
/// neither take it nor be opened.
#[test]
fn what_sled_has_no_space_for_stays_in_the_log() {
    on_a_small_disk("providers::full::what_sled_has_no_space_for_stays_in_the_log", 160, |folder, _| {
        block_on(async {
            let path = folder.join("store");
            let store = SledProvider::open(&path).unwrap();
            let mut case = Case { store, path, kept: Vec::new(), next: 0, commits: 0 };
            for round in 0..2 {
                for _ in 0..300 {
                    assert!(case.start().await, "there is space");
                }
                fs::remove_file(case.path.join("reserve")).unwrap();
                let stranger = take_all_there_is(&case.path);
                case.fill().await;
                let delete = case.delete(case.kept[0]).await.unwrap_err();
                assert!(matches!(&delete, CommitError::Provider(error) if error.kind() == ErrorKind::Full), "{delete}");
                if let Err(error) = case.read_all().await {
                    // sled was just being given what is in the log, and says no more until it is opened again.
                    is_full(&error);
                }
                if round == 1 {
                    case.store.close().await;
                    let error = SledProvider::open(&case.path).unwrap_err();
                    assert!(matches!(error, OpenError::Unwritable { .. }), "{error:?}");
                }
                fs::remove_file(&stranger).unwrap();
                if round == 1 {
                    case.store = SledProvider::open(&case.path).unwrap();
                }
                assert!(case.start().await, "with space it goes on by itself");
                case.all_there().await;
            }
            case.store.close().await;
        });
    });
}
