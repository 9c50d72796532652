//! Opening: what is there again, and what keeps a store from opening.

use std::fs;
use std::time::Duration;

use durable_runtime::providers::{Durability, Maintain, OpenError, Provider, Stats, TransactionOp};
use durable_runtime::{EventId, ExecutionId, FsProvider};

use super::{activities, everything, id, journal, keep, options, turns, unfenced};

#[tokio::test]
async fn everything_is_there_after_a_restart_except_leases() {
    let folder = tempfile::tempdir().unwrap();
    let (mut fence, mut sizes) = (0, Vec::new());
    for (round, size) in [10, 5_000, 100_000, 300].into_iter().enumerate() {
        let store = options().open(folder.path()).unwrap();
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
        keep(&store, round as u128, everything(&format!("i{round}"), size)).await;
        fence = fence.max(store.fetch_turns(turns()).await.unwrap()[0].lock_token.fence);
        sizes.push(size);
        match round {
            // One is just dropped, one compacted, the others closed.
            1 => {}
            2 => {
                store.compact().await.unwrap();
                store.close().await;
            }
            _ => store.close().await,
        }
    }
}

#[tokio::test]
async fn many_segments_snapshots_and_cleanings_lose_nothing() {
    let folder = tempfile::tempdir().unwrap();
    let small = || options().snapshot_after(100_000).readable_histories(false);
    let store = small().durability(Durability::None).open(folder.path()).unwrap();
    let mut commits = 0..;
    let mut commit = || commits.next().unwrap();
    let mut kept = Vec::new();
    for round in 0..60 {
        for number in 0..20 {
            let name = format!("i{round}-{number}");
            keep(&store, commit(), everything(&name, 200 + 10 * number)).await;
            if number == 7 {
                kept.push(name)
            } else {
                keep(&store, commit(), vec![TransactionOp::DeleteInstance { instance: id(&name) }]).await;
            }
        }
        if round % 20 == 10 {
            assert!(!journal(folder.path(), "snapshot-").is_empty());
        }
    }
    // Most was deleted: 60 × 20 × 5 values were written, and 60 × 5 are left.
    let bytes =
        |prefix: &str| journal(folder.path(), prefix).iter().map(|path| path.metadata().unwrap().len()).sum::<u64>();
    assert!(bytes("segment-") < 1_000_000, "{}", bytes("segment-"));
    for _ in 0..3 {
        store.compact().await.unwrap();
    }
    assert!(bytes("segment-") < 400_000, "{}", bytes("segment-"));
    assert_eq!(bytes("spare-"), 0);
    store.close().await;
    let store = small().open(folder.path()).unwrap();
    assert_eq!(store.stats().await.unwrap().instances, 60);
    for name in &kept {
        let record = store.instance(&id(name)).await.unwrap().unwrap();
        assert_eq!(record.metadata["output"].len(), 270);
        assert_eq!(store.history(&id(name), ExecutionId(1), EventId(1), 9).await.unwrap()[0].data.len(), 270);
    }
    for name in kept {
        keep(&store, commit(), vec![TransactionOp::DeleteInstance { instance: id(&name) }]).await;
    }
    assert_eq!(store.stats().await.unwrap(), Stats::default());
}

#[tokio::test]
async fn a_commit_id_is_known_after_a_restart() {
    let folder = tempfile::tempdir().unwrap();
    for _ in 0..3 {
        let store = options().open(folder.path()).unwrap();
        keep(&store, 1, everything("a", 10)).await;
        assert_eq!(store.stats().await.unwrap().turn_messages, 1);
    }
}

#[tokio::test]
async fn a_weaker_durability_keeps_everything_that_is_closed_in_order() {
    for durability in [Durability::Interval(Duration::from_secs(3600)), Durability::None] {
        let folder = tempfile::tempdir().unwrap();
        let store = options().durability(durability).open(folder.path()).unwrap();
        assert_eq!(store.capabilities().durability, durability);
        keep(&store, 1, everything("a", 10_000)).await;
        store.close().await;
        let store = options().open(folder.path()).unwrap();
        assert_eq!(store.fetch_turns(turns()).await.unwrap()[0].messages[0].data.len(), 10_000);
    }
}

#[tokio::test]
async fn who_holds_the_folder_is_named() {
    let folder = tempfile::tempdir().unwrap();
    let store = options().open(folder.path()).unwrap();
    let error = FsProvider::open(folder.path()).unwrap_err();
    assert!(matches!(error, OpenError::Held { process: Some(process), .. } if process == std::process::id()));
    let clone = store.clone();
    drop(store);
    assert!(matches!(FsProvider::open(folder.path()), Err(OpenError::Held { .. })));
    clone.close().await;
    FsProvider::open(folder.path()).unwrap();
}

#[test]
fn a_folder_of_somebody_else_is_left_alone() {
    let folder = tempfile::tempdir().unwrap();
    fs::write(folder.path().join("thesis.txt"), "years of work").unwrap();
    let error = FsProvider::open(folder.path()).unwrap_err();
    assert!(matches!(error, OpenError::NotAStore { marker: "durable.json", .. }), "{error}");
    assert_eq!(fs::read_dir(folder.path()).unwrap().count(), 1);
}

#[cfg(feature = "sled")]
#[test]
fn a_store_of_another_kind_is_refused_by_both() {
    use durable_runtime::SledProvider;
    let (mine, other) = (tempfile::tempdir().unwrap(), tempfile::tempdir().unwrap());
    drop(options().open(mine.path()).unwrap());
    drop(SledProvider::open(other.path()).unwrap());
    let error = FsProvider::open(other.path()).unwrap_err();
    assert!(matches!(&error, OpenError::OtherStore { found, wanted: "fs", .. } if found == "sled"), "{error}");
    let error = SledProvider::open(mine.path()).unwrap_err();
    assert!(matches!(&error, OpenError::OtherStore { found, wanted: "sled", .. } if found == "fs"), "{error}");
    // The first stores of sled did not say what they are.
    fs::write(other.path().join("durable.json"), "{\"format\":1}").unwrap();
    drop(SledProvider::open(other.path()).unwrap());
}

#[test]
fn folders_are_made_where_that_is_possible_and_what_cannot_be_written_is_named() {
    let folder = tempfile::tempdir().unwrap();
    drop(options().open(folder.path().join("deep/er/orders.files")).unwrap());
    let file = folder.path().join("file");
    fs::write(&file, "").unwrap();
    for path in [file.clone(), file.join("below")] {
        let error = FsProvider::open(&path).unwrap_err();
        assert!(matches!(&error, OpenError::Unwritable { path: named, .. } if *named == path), "{error}");
    }
}

#[test]
fn a_newer_or_damaged_marker_is_refused() {
    let folder = tempfile::tempdir().unwrap();
    drop(options().open(folder.path()).unwrap());
    let marker = folder.path().join("durable.json");
    fs::write(&marker, r#"{"format":2,"more":true}"#).unwrap();
    let error = FsProvider::open(folder.path()).unwrap_err();
    assert!(matches!(error, OpenError::NewerFormat { found: 2, supported: 1, .. }), "{error}");
    fs::write(&marker, "{").unwrap();
    assert!(matches!(FsProvider::open(folder.path()), Err(OpenError::Corrupt { .. })));
}

#[tokio::test]
async fn a_journal_without_one_of_its_files_is_refused_and_the_file_named() {
    let folder = tempfile::tempdir().unwrap();
    let store = options().snapshot_after(50_000).open(folder.path()).unwrap();
    for number in 0..40 {
        keep(&store, number, everything(&format!("i{number}"), 3_000)).await;
    }
    store.close().await;
    let mut names = journal(folder.path(), "segment-");
    names.extend(journal(folder.path(), "snapshot-"));
    names.extend(journal(folder.path(), "manifest"));
    assert!(names.len() >= 6, "{names:?}");
    for file in names {
        let bytes = fs::read(&file).unwrap();
        fs::remove_file(&file).unwrap();
        let error = FsProvider::open(folder.path()).unwrap_err();
        let name = file.file_name().unwrap().to_str().unwrap();
        assert!(matches!(&error, OpenError::Corrupt { message, .. } if message.contains(name)), "{name}: {error}");
        fs::write(&file, bytes).unwrap();
    }
    let store = options().open(folder.path()).unwrap();
    assert_eq!(store.stats().await.unwrap().instances, 40);
}

#[test]
fn a_store_that_is_dropped_lets_go_of_its_folder_at_once() {
    let folder = tempfile::tempdir().unwrap();
    for _ in 0..20 {
        drop(options().open(folder.path()).unwrap());
    }
}

#[tokio::test]
async fn a_refused_transaction_is_refused_after_a_restart_too() {
    let folder = tempfile::tempdir().unwrap();
    let store = options().open(folder.path()).unwrap();
    keep(&store, 1, everything("a", 10)).await;
    store.close().await;
    let store = options().open(folder.path()).unwrap();
    store.atomic_batch(unfenced(2, everything("a", 10))).await.unwrap_err();
}
