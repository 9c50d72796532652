//! What a store on disk owes besides: it is there again after a restart, and says what keeps it from opening.

mod corruption;

use std::fs;
use std::path::Path;
use std::time::Duration;

use bytes::Bytes;
use durable_runtime::providers::{
    ActivityRequest, CommitId, Durability, ErrorKind, NewMessage, OpenError, OwnerId, PageRequest, Provider, Queue,
    SledProvider, Stats, Transaction, TransactionOp, TurnRequest,
};
use durable_runtime::{EventId, ExecutionId, InstanceId, MessageId};

fn id(text: &str) -> InstanceId {
    InstanceId::new(text).unwrap()
}

fn message(text: &str, size: usize) -> NewMessage {
    NewMessage {
        id: MessageId::new(text).unwrap(),
        execution_id: ExecutionId::FIRST,
        topic: "work".to_owned(),
        tag: None,
        session: None,
        visible_at: None,
        data: vec![b'x'; size].into(),
    }
}

/// A first execution with one event, a message, an activity and an output.
fn everything(commit: u128, instance: &str, size: usize) -> Transaction {
    let instance = id(instance);
    let ops = vec![
        TransactionOp::CreateExecution { instance: instance.clone(), execution_id: ExecutionId::FIRST },
        TransactionOp::AppendHistory {
            instance: instance.clone(),
            execution_id: ExecutionId::FIRST,
            first: EventId::FIRST,
            events: vec![vec![b'x'; size].into()],
        },
        TransactionOp::EnqueueWork { queue: Queue::Turns(instance.clone()), items: vec![message("m", size)] },
        TransactionOp::EnqueueWork { queue: Queue::Activities(instance.clone()), items: vec![message("job", size)] },
        TransactionOp::PutMetadata { instance, entries: vec![("output".to_owned(), Some(vec![b'x'; size].into()))] },
    ];
    Transaction { fence: None, commit_id: CommitId(commit), ops }
}

fn turns() -> TurnRequest {
    let (ttl, wait) = (Duration::from_secs(3600), Duration::ZERO);
    TurnRequest { owner: OwnerId::new("test"), max: 100, ttl, wait, instance: None, skills: None }
}

fn activities() -> ActivityRequest {
    let (ttl, wait, topics) = (Duration::from_secs(3600), Duration::ZERO, ["work".to_owned()].into());
    ActivityRequest { owner: OwnerId::new("test"), max: 100, ttl, wait, topics, tags: [].into(), session_ttl: None }
}

#[tokio::test]
async fn everything_is_there_after_a_restart_except_leases() {
    let folder = tempfile::tempdir().unwrap();
    let (mut fence, mut sizes) = (0, Vec::new());
    for (round, size) in [10, 5_000, 100_000].into_iter().enumerate() {
        let store = SledProvider::open(folder.path()).unwrap();
        let leased = store.fetch_turns(turns()).await.unwrap();
        assert_eq!(leased.len(), round);
        assert_eq!(store.fetch_activities(activities()).await.unwrap().len(), round);
        for (turn, size) in leased.iter().zip(&sizes) {
            assert!(turn.lock_token.fence > fence, "fences grow over restarts");
            assert_eq!((turn.messages[0].data.len(), turn.history_len), (*size, 1));
            let history = store.history(&turn.instance, ExecutionId::FIRST, EventId::FIRST, 10).await.unwrap();
            assert_eq!(history[0].data.len(), *size);
            let record = store.instance(&turn.instance).await.unwrap().unwrap();
            assert_eq!(record.metadata["output"].len(), *size);
            fence = fence.max(turn.lock_token.fence);
        }
        store.atomic_batch(everything(round as u128, &format!("i{round}"), size)).await.unwrap();
        fence = fence.max(store.fetch_turns(turns()).await.unwrap()[0].lock_token.fence);
        assert_eq!(store.stats().await.unwrap().instances, round as u64 + 1);
        sizes.push(size);
        // Two in three are closed, one is just dropped.
        if round != 1 {
            store.close().await;
        }
    }
}

#[tokio::test]
async fn a_commit_id_is_known_after_a_restart() {
    let folder = tempfile::tempdir().unwrap();
    for _ in 0..3 {
        let store = SledProvider::open(folder.path()).unwrap();
        store.atomic_batch(everything(1, "a", 10)).await.unwrap();
        assert_eq!(store.stats().await.unwrap().turn_messages, 1);
    }
}

#[tokio::test]
async fn the_ring_of_commits_goes_round() {
    let folder = tempfile::tempdir().unwrap();
    let nothing = |n| Transaction { fence: None, commit_id: CommitId(n), ops: Vec::new() };
    let store = SledProvider::options().durability(Durability::None).open(folder.path()).unwrap();
    store.atomic_batch(everything(0, "a", 1)).await.unwrap();
    for n in 1..5000 {
        store.atomic_batch(nothing(n)).await.unwrap();
    }
    store.close().await;
    let store = SledProvider::open(folder.path()).unwrap();
    assert_eq!(store.stats().await.unwrap().instances, 1);
    // This one is still known, so it does not fail as a second start would.
    let mut repeated = everything(4_999, "a", 1);
    store.atomic_batch(repeated.clone()).await.unwrap();
    repeated.commit_id = CommitId(5_000);
    store.atomic_batch(repeated).await.unwrap_err();
}

#[tokio::test]
async fn a_deleted_instance_leaves_no_residue_after_a_restart() {
    let folder = tempfile::tempdir().unwrap();
    let store = SledProvider::open(folder.path()).unwrap();
    store.atomic_batch(everything(1, "a", 50_000)).await.unwrap();
    let delete = vec![TransactionOp::DeleteInstance { instance: id("a") }];
    store.atomic_batch(Transaction { fence: None, commit_id: CommitId(2), ops: delete }).await.unwrap();
    store.close().await;
    let store = SledProvider::open(folder.path()).unwrap();
    assert_eq!(store.stats().await.unwrap(), Stats::default());
    store.close().await;
    let keys = open_keys(folder.path());
    let left: Vec<_> = keys.iter().keys().map(|key| key.unwrap()).filter(|key| key.contains(&b'a')).collect();
    assert!(left.is_empty(), "{left:?}");
}

#[tokio::test]
async fn who_holds_the_folder_is_named() {
    let folder = tempfile::tempdir().unwrap();
    let store = SledProvider::open(folder.path()).unwrap();
    let error = SledProvider::open(folder.path()).unwrap_err();
    assert!(matches!(error, OpenError::Held { process: Some(process), .. } if process == std::process::id()));
    assert!(error.to_string().contains(&format!("held by process {}", std::process::id())), "{error}");
    let clone = store.clone();
    drop(store);
    assert!(matches!(SledProvider::open(folder.path()), Err(OpenError::Held { .. })));
    // Closed is closed, even if a handle is left.
    clone.close().await;
    SledProvider::open(folder.path()).unwrap();
}

#[test]
fn a_folder_of_somebody_else_is_left_alone() {
    let folder = tempfile::tempdir().unwrap();
    fs::write(folder.path().join("thesis.txt"), "years of work").unwrap();
    let error = SledProvider::open(folder.path()).unwrap_err();
    assert!(matches!(error, OpenError::NotAStore { marker: "durable.json", .. }), "{error}");
    assert_eq!(fs::read_dir(folder.path()).unwrap().count(), 1);
}

#[test]
fn a_folder_is_made_where_there_is_none() {
    let folder = tempfile::tempdir().unwrap();
    SledProvider::open(folder.path().join("deep/er/orders.db")).unwrap();
}

#[test]
fn what_cannot_be_written_is_named() {
    let folder = tempfile::tempdir().unwrap();
    let file = folder.path().join("file");
    fs::write(&file, "").unwrap();
    for path in [file.clone(), file.join("below")] {
        let error = SledProvider::open(&path).unwrap_err();
        assert!(matches!(&error, OpenError::Unwritable { path: named, .. } if *named == path), "{error}");
    }
}

#[test]
fn a_newer_or_damaged_marker_is_refused() {
    let folder = tempfile::tempdir().unwrap();
    drop(SledProvider::open(folder.path()).unwrap());
    let marker = folder.path().join("durable.json");
    fs::write(&marker, r#"{"format":2,"more":true}"#).unwrap();
    let error = SledProvider::open(folder.path()).unwrap_err();
    assert!(matches!(error, OpenError::NewerFormat { found: 2, supported: 1, .. }), "{error}");
    fs::write(&marker, "{").unwrap();
    assert!(matches!(SledProvider::open(folder.path()), Err(OpenError::Corrupt { .. })));
}

#[test]
fn a_damaged_file_is_refused_or_read_right() {
    let folder = tempfile::tempdir().unwrap();
    drop(SledProvider::open(folder.path()).unwrap());
    fs::write(folder.path().join("sled/conf"), "no settings of sled").unwrap();
    let error = SledProvider::open(folder.path()).unwrap_err();
    assert!(matches!(error, OpenError::Corrupt { .. }), "{error}");
}

#[tokio::test]
async fn a_damaged_snapshot_loses_nothing() {
    let folder = tempfile::tempdir().unwrap();
    two_instances(folder.path()).await;
    // Opening writes the snapshot.
    drop(SledProvider::open(folder.path()).unwrap());
    let files = fs::read_dir(folder.path().join("sled")).unwrap().map(|entry| entry.unwrap().path());
    let snapshots: Vec<_> = files.filter(|path| path.to_string_lossy().contains("snap.")).collect();
    assert!(!snapshots.is_empty());
    for snapshot in snapshots {
        let mut bytes = fs::read(&snapshot).unwrap();
        let middle = bytes.len() / 2;
        bytes[middle] ^= 1;
        fs::write(&snapshot, bytes).unwrap();
    }
    let store = SledProvider::open(folder.path()).unwrap();
    assert_eq!(store.fetch_turns(turns()).await.unwrap().len(), 2);
    assert_eq!(store.stats().await.unwrap().instances, 2);
}

/// Changes one byte near the end of the value of each key that starts with `prefix`, below the provider.
fn damage(folder: &Path, prefix: &[u8]) {
    let keys = open_keys(folder);
    let pairs: Vec<_> = keys.scan_prefix(prefix).map(|pair| pair.unwrap()).collect();
    assert!(!pairs.is_empty());
    for (key, value) in pairs {
        let mut bytes = value.to_vec();
        *bytes.last_mut().unwrap() ^= 1;
        keys.insert(key, bytes).unwrap();
    }
    keys.flush().unwrap();
}

async fn two_instances(folder: &Path) {
    let store = SledProvider::open(folder).unwrap();
    store.atomic_batch(everything(1, "a", 10)).await.unwrap();
    store.atomic_batch(everything(2, "b", 10)).await.unwrap();
    store.close().await;
}

#[tokio::test]
async fn a_damaged_history_is_an_error_that_names_it() {
    let folder = tempfile::tempdir().unwrap();
    two_instances(folder.path()).await;
    damage(folder.path(), b"\x11a\0");
    let store = SledProvider::open(folder.path()).unwrap();
    let error = store.history(&id("a"), ExecutionId::FIRST, EventId::FIRST, 10).await.unwrap_err();
    assert_eq!(error.kind(), ErrorKind::Corrupt);
    let text = "read history of instance `a` failed: the record of execution 1 from event 1 on is damaged: its checksum is wrong";
    assert_eq!(error.to_string(), text);
    // The damaged one cannot be leased; the other can.
    let leased = store.fetch_turns(turns()).await.unwrap();
    assert_eq!(leased.iter().map(|turn| turn.instance.as_str()).collect::<Vec<_>>(), ["b"]);
    assert!(store.fetch_turns(turns()).await.unwrap().is_empty());
}

#[tokio::test]
async fn a_damaged_message_stops_its_instance_alone() {
    let folder = tempfile::tempdir().unwrap();
    two_instances(folder.path()).await;
    damage(folder.path(), b"\x12a\0");
    damage(folder.path(), b"\x13b\0");
    let store = SledProvider::open(folder.path()).unwrap();
    assert_eq!(store.fetch_turns(turns()).await.unwrap()[0].instance, id("b"));
    let jobs = store.fetch_activities(activities()).await.unwrap();
    assert_eq!(jobs.iter().map(|job| job.instance.as_str()).collect::<Vec<_>>(), ["a"]);
}

#[tokio::test]
async fn a_damaged_record_is_an_error_that_names_it() {
    let folder = tempfile::tempdir().unwrap();
    two_instances(folder.path()).await;
    damage(folder.path(), b"\x10b\0");
    let store = SledProvider::open(folder.path()).unwrap();
    assert_eq!(store.instance(&id("b")).await.unwrap_err().kind(), ErrorKind::Corrupt);
    assert!(store.instance(&id("a")).await.unwrap().is_some());
    let page = PageRequest { limit: 10, ..PageRequest::default() };
    // It hides no other, and is named beside them.
    let listed = store.instances(page).await.unwrap();
    assert_eq!(listed.instances.iter().map(|record| record.instance.as_str()).collect::<Vec<_>>(), ["a"]);
    assert_eq!(listed.damaged.iter().map(|found| found.instance.as_str()).collect::<Vec<_>>(), ["b"]);
    // It can still be deleted, and then everything else goes on.
    let delete = vec![TransactionOp::DeleteInstance { instance: id("b") }];
    store.atomic_batch(Transaction { fence: None, commit_id: CommitId(3), ops: delete }).await.unwrap();
    let page = PageRequest { limit: 10, ..PageRequest::default() };
    assert_eq!(store.instances(page).await.unwrap().instances.len(), 1);
}

#[tokio::test]
async fn a_weaker_durability_keeps_everything_that_is_closed_in_order() {
    for durability in [Durability::Interval(Duration::from_secs(3600)), Durability::None] {
        let folder = tempfile::tempdir().unwrap();
        let store = SledProvider::options().durability(durability).open(folder.path()).unwrap();
        assert_eq!(store.capabilities().durability, durability);
        store.atomic_batch(everything(1, "a", 10_000)).await.unwrap();
        store.close().await;
        let store = SledProvider::open(folder.path()).unwrap();
        assert_eq!(store.fetch_turns(turns()).await.unwrap()[0].messages[0].data, Bytes::from(vec![b'x'; 10_000]));
    }
}

#[test]
fn a_store_that_is_dropped_lets_go_of_its_folder_at_once() {
    let folder = tempfile::tempdir().unwrap();
    for _ in 0..20 {
        // Dropping waits for the thread of the store, which would hold the folder otherwise.
        drop(SledProvider::open(folder.path()).unwrap());
    }
}

/// Opens what is below a store that was closed. Tests that start processes beside this one can hold its lock for a moment.
pub(crate) fn open_keys(folder: &Path) -> sled::Db {
    // As the provider has it; sled opens a file under no other size.
    let config = sled::Config::new().path(folder.join("sled")).flush_every_ms(None).segment_size(8 << 20);
    let begin = std::time::Instant::now();
    loop {
        match config.open() {
            Err(error) if error.to_string().contains("lock") && begin.elapsed().as_secs() < 5 => {
                std::thread::yield_now()
            }
            opened => return opened.unwrap(),
        }
    }
}
