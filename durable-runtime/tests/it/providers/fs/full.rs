//! A disk that is really full: a small file system in memory, where one can be mounted.

use std::path::Path;

use durable_runtime::providers::{CommitError, ErrorKind, Provider, TransactionOp};
use durable_runtime::{EventId, ExecutionId, FsProvider};

use super::{everything, id, keep, options, unfenced};
use crate::providers::small_disk::on_a_small_disk;
use crate::providers::watch::block_on;

/// Starts instances until there is no space; answers with the one that was refused.
async fn fill(store: &FsProvider, names: &mut std::ops::RangeFrom<u128>) -> Vec<u128> {
    let mut kept = Vec::new();
    for name in names {
        match store.atomic_batch(unfenced(1_000_000 + name, everything(&format!("i{name}"), 3_000))).await {
            Ok(_) => kept.push(name),
            Err(CommitError::Provider(error)) => {
                assert_eq!(error.kind(), ErrorKind::Full, "{error}");
                assert!(error.is_transient(), "with space it is kept");
                break;
            }
            Err(other) => panic!("{other}"),
        }
    }
    kept
}

async fn all_there(store: &FsProvider, kept: &[u128]) {
    assert_eq!(store.stats().await.unwrap().instances, kept.len() as u64);
    for name in kept {
        let instance = id(&format!("i{name}"));
        assert_eq!(store.instance(&instance).await.unwrap().unwrap().metadata["output"].len(), 3_000);
        assert_eq!(store.history(&instance, ExecutionId(1), EventId(1), 9).await.unwrap()[0].data.len(), 3_000);
    }
}

#[test]
fn a_full_disk_is_a_typed_error_still_takes_deletions_and_goes_on_by_itself() {
    const NAME: &str = "providers::fs::full::a_full_disk_is_a_typed_error_still_takes_deletions_and_goes_on_by_itself";
    on_a_small_disk(NAME, 12, |folder, _| block_on(fill_and_empty(&folder.join("store"))));
}

async fn fill_and_empty(path: &Path) {
    let store = options().open(path).unwrap();
    let (mut names, mut commits) = (0.., 0..);
    let mut kept = fill(&store, &mut names).await;
    assert!(kept.len() > 50, "only {} fit", kept.len());
    all_there(&store, &kept).await;

    // A handle that was opened on a full disk has all of it too.
    store.close().await;
    let store = options().open(path).unwrap();
    all_there(&store, &kept).await;

    for _ in 0..3 {
        // Deleting is possible, and makes space, without a restart.
        for name in kept.drain(..kept.len() / 2) {
            let delete = TransactionOp::DeleteInstance { instance: id(&format!("i{name}")) };
            keep(&store, commits.next().unwrap(), vec![delete]).await;
        }
        all_there(&store, &kept).await;
        let more = fill(&store, &mut names).await;
        assert!(more.len() > 10, "only {} more fit", more.len());
        kept.extend(more);
        all_there(&store, &kept).await;
    }
    store.close().await;
}
