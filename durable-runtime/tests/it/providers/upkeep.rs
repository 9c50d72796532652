//! What is done to a store from time to time: looked through, copied, restored, made small. The same for all.

use std::fs;
use std::path::{Path, PathBuf};

use bytes::Bytes;
#[cfg(feature = "sqlite")]
use durable_runtime::SqliteProvider;
use durable_runtime::providers::{
    CommitId, ErrorKind, KvPageRequest, Maintain, NewMessage, OpenError, PageRequest, Queue, Transaction, TransactionOp,
};
use durable_runtime::{EventId, ExecutionId, FsProvider, InstanceId, MessageId, Provider, SledProvider};

fn id(number: u128) -> InstanceId {
    InstanceId::new(format!("i{number:05}")).unwrap()
}

/// One of everything, in one transaction; values of every size class.
fn everything(number: u128) -> Transaction {
    let (instance, size) = (id(number), [10, 700, 5_000, 20_000][number as usize % 4]);
    let data = Bytes::from(vec![b'x'; size]);
    let message = |name: &str, topic: &str| NewMessage {
        id: MessageId::new(name).unwrap(),
        execution_id: ExecutionId::FIRST,
        topic: topic.to_owned(),
        tag: None,
        session: None,
        visible_at: None,
        data: data.clone(),
    };
    let ops = vec![
        TransactionOp::CreateExecution { instance: instance.clone(), execution_id: ExecutionId::FIRST },
        TransactionOp::AppendHistory {
            instance: instance.clone(),
            execution_id: ExecutionId::FIRST,
            first: EventId::FIRST,
            events: vec![data.clone(), Bytes::from_static(b"second")],
        },
        TransactionOp::EnqueueWork { queue: Queue::Turns(instance.clone()), items: vec![message("m", "")] },
        TransactionOp::EnqueueWork { queue: Queue::Activities(instance.clone()), items: vec![message("job", "work")] },
        TransactionOp::PutMetadata {
            instance: instance.clone(),
            entries: vec![("output".to_owned(), Some(data.clone()))],
        },
        TransactionOp::PutKv { instance: instance.clone(), entries: vec![("k".to_owned(), Some(data.clone()))] },
        TransactionOp::PutLabels { instance, labels: vec![("kind".to_owned(), Some("order".to_owned()))] },
    ];
    Transaction { fence: None, commit_id: CommitId(number + 1), ops }
}

async fn fill(store: &impl Provider, numbers: std::ops::Range<u128>) {
    for number in numbers {
        store.atomic_batch(everything(number)).await.unwrap();
    }
}

/// How many instances there are, each of them whole.
async fn whole(store: &impl Provider) -> u128 {
    let labels = vec![("kind".to_owned(), "order".to_owned())];
    let page = PageRequest { labels, limit: 100_000, ..PageRequest::default() };
    let records = store.instances(page).await.unwrap().instances;
    for record in &records {
        let size = record.metadata["output"].len();
        let events = store.history(&record.instance, ExecutionId::FIRST, EventId::FIRST, 9).await.unwrap();
        assert_eq!(events.iter().map(|event| event.data.len()).collect::<Vec<_>>(), [size, 6]);
        assert_eq!(store.kv(&record.instance, "k").await.unwrap().unwrap().len(), size);
        let page = KvPageRequest { limit: 9, ..KvPageRequest::default() };
        assert_eq!(store.kv_page(&record.instance, page).await.unwrap().entries.len(), 1);
        let waiting = store.messages(&record.instance, 9).await.unwrap();
        assert_eq!(waiting.messages.iter().map(|message| message.data.len()).collect::<Vec<_>>(), [size, size]);
    }
    let stats = store.stats().await.unwrap();
    assert_eq!(stats.instances, records.len() as u64);
    assert_eq!((stats.turn_messages, stats.activities), (stats.instances, stats.instances));
    u128::from(stats.instances)
}

async fn a_sound_store_has_no_findings(store: impl Maintain) {
    fill(&store, 0..40).await;
    let delete = vec![TransactionOp::DeleteInstance { instance: id(3) }];
    store.atomic_batch(Transaction { fence: None, commit_id: CommitId(77_777), ops: delete }).await.unwrap();
    let checkup = store.doctor().await.unwrap();
    assert!(checkup.is_sound(), "{checkup}");
    assert!(checkup.records >= 39 * 5, "{checkup}");
    store.close().await;
    assert_eq!(store.doctor().await.unwrap_err().kind(), ErrorKind::Closed);
}

/// A copy has everything that was acknowledged before it was begun, and each transaction whole, though others go on.
async fn a_copy_of_a_busy_store_is_whole<P: Maintain>(store: P, open: impl Fn(&Path) -> P) {
    let folder = tempfile::tempdir().unwrap();
    let copies: Vec<PathBuf> = (0..4).map(|number| folder.path().join(format!("copy {number}"))).collect();
    fill(&store, 0..60).await;
    let busy = async {
        for (round, copy) in copies.iter().enumerate() {
            let acknowledged = 60 + 40 * round as u128;
            let (backed_up, ()) =
                futures_util::future::join(store.backup(copy), fill(&store, acknowledged..acknowledged + 40)).await;
            backed_up.unwrap();
        }
    };
    busy.await;
    for (round, path) in copies.iter().enumerate() {
        let copy = open(path);
        let checkup = copy.doctor().await.unwrap();
        assert!(checkup.is_sound(), "{checkup}");
        let least = 60 + 40 * round as u128;
        let found = whole(&copy).await;
        assert!((least..=least + 40).contains(&found), "{found} of {least}");
        copy.close().await;
    }
    let refused = store.backup(&copies[0]).await.unwrap_err();
    assert_eq!(refused.kind(), ErrorKind::Invalid, "{refused}");
    assert_eq!(whole(&store).await, 220);
    store.close().await;
    assert_eq!(store.backup(&folder.path().join("late")).await.unwrap_err().kind(), ErrorKind::Closed);
    assert!(!folder.path().join("late").exists());
    let left = fs::read_dir(folder.path()).unwrap().map(|entry| entry.unwrap().file_name());
    assert!(left.into_iter().all(|name| !name.to_string_lossy().ends_with(".partial")));
}

async fn a_store_is_restored_from_a_copy<P: Maintain>(
    store: P,
    open: impl Fn(&Path) -> P,
    restore: impl Fn(&Path, &Path) -> Result<(), OpenError>,
) {
    let folder = tempfile::tempdir().unwrap();
    let (copy, path) = (folder.path().join("copy"), folder.path().join("deep").join("restored"));
    fill(&store, 0..30).await;
    store.backup(&copy).await.unwrap();
    store.close().await;
    restore(&copy, &path).unwrap();
    let restored = open(&path);
    assert_eq!(whole(&restored).await, 30);
    // A transaction that was kept before the copy is known after it.
    restored.atomic_batch(everything(7)).await.unwrap();
    fill(&restored, 30..35).await;
    assert_eq!(whole(&restored).await, 35);
    restored.close().await;
    assert!(matches!(restore(&copy, &path), Err(OpenError::Unwritable { .. })), "there is something already");
    assert!(matches!(
        restore(&folder.path().join("nothing"), &folder.path().join("x")),
        Err(OpenError::Unwritable { .. })
    ));
    assert!(!folder.path().join("nothing").exists() && !folder.path().join("x").exists());
}

/// Files may come and go meanwhile.
fn bytes_of(path: &Path) -> u64 {
    match fs::read_dir(path) {
        Ok(entries) => entries.filter_map(|entry| Some(bytes_of(&entry.ok()?.path()))).sum(),
        Err(_) => fs::metadata(path).map_or(0, |file| file.len()),
    }
}

async fn compacting_keeps_all_and_gives_space_back<P: Maintain>(store: P, path: &Path, open: impl Fn(&Path) -> P) {
    fill(&store, 0..1_500).await;
    for number in 0..1_350 {
        let ops = vec![TransactionOp::DeleteInstance { instance: id(number) }];
        let commit_id = CommitId(1_000_000 + number);
        store.atomic_batch(Transaction { fence: None, commit_id, ops }).await.unwrap();
    }
    let before = bytes_of(path);
    store.compact().await.unwrap();
    assert_eq!(whole(&store).await, 150);
    fill(&store, 0..10).await;
    fill(&store, 5_000..5_010).await;
    assert_eq!(whole(&store).await, 160, "the first ten were kept before, and are known");
    assert!(store.doctor().await.unwrap().is_sound());
    store.close().await;
    println!("{before} bytes, compacted {}", bytes_of(path));
    // How much less depends on how much was cleaned up before.
    assert!(bytes_of(path) < before, "{} of {before}", bytes_of(path));
    let store = open(path);
    assert_eq!(whole(&store).await, 160);
    store.close().await;
}

macro_rules! of {
    ($name:ident, $provider:ty, $file:literal) => {
        mod $name {
            use super::*;

            fn open(path: &Path) -> $provider {
                <$provider>::open(path).unwrap()
            }

            #[tokio::test]
            async fn a_sound_store_has_no_findings() {
                let folder = tempfile::tempdir().unwrap();
                super::a_sound_store_has_no_findings(open(&folder.path().join($file))).await;
            }

            #[tokio::test]
            async fn a_copy_of_a_busy_store_is_whole() {
                let folder = tempfile::tempdir().unwrap();
                super::a_copy_of_a_busy_store_is_whole(open(&folder.path().join($file)), open).await;
            }

            #[tokio::test]
            async fn a_store_is_restored_from_a_copy() {
                let folder = tempfile::tempdir().unwrap();
                let restore = |backup: &Path, path: &Path| <$provider>::restore(backup, path);
                super::a_store_is_restored_from_a_copy(open(&folder.path().join($file)), open, restore).await;
            }

            #[tokio::test]
            async fn compacting_keeps_all_and_gives_space_back() {
                let folder = tempfile::tempdir().unwrap();
                let path = folder.path().join($file);
                super::compacting_keeps_all_and_gives_space_back(open(&path), &path, open).await;
            }
        }
    };
}

of!(sled, SledProvider, "store");
of!(files, FsProvider, "store");
#[cfg(feature = "sqlite")]
of!(sqlite, SqliteProvider, "store.db");
