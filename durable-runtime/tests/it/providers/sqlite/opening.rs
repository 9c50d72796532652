//! Opening, closing and opening again.

use std::fs;
use std::time::Duration;

use durable_runtime::providers::{
    CommitError, Durability, ErrorKind, OpenError, Provider, SqliteProvider, Stats, TransactionOp,
};
use durable_runtime::{EventId, ExecutionId};
use futures_util::future::join_all;

use super::{activities, everything, id, keep, turns, unfenced};

#[tokio::test]
async fn everything_is_there_after_a_restart_except_leases() {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("store.db");
    let (mut fence, sizes) = (0, [10, 5_000, 100_000]);
    for (round, size) in sizes.into_iter().enumerate() {
        let store = SqliteProvider::open(&path).unwrap();
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
        }
        keep(&store, round as u128, everything(&format!("i{round}"), size)).await;
        fence = store.fetch_turns(turns()).await.unwrap()[0].lock_token.fence;
        assert_eq!(store.stats().await.unwrap().instances, round as u64 + 1);
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
        let store = SqliteProvider::open(folder.path().join("store.db")).unwrap();
        keep(&store, 1, everything("a", 10)).await;
        assert_eq!(store.stats().await.unwrap().turn_messages, 1);
    }
}

#[tokio::test]
async fn nothing_stands_beside_a_store_that_was_closed() {
    let folder = tempfile::tempdir().unwrap();
    let store = SqliteProvider::open(folder.path().join("store.db")).unwrap();
    keep(&store, 1, everything("a", 50_000)).await;
    let delete = vec![TransactionOp::DeleteInstance { instance: id("a") }];
    keep(&store, 2, delete).await;
    store.close().await;
    assert_eq!(fs::read_dir(&folder).unwrap().count(), 1);
    let store = SqliteProvider::open(folder.path().join("store.db")).unwrap();
    assert_eq!(store.stats().await.unwrap(), Stats::default());
    store.close().await;
    // No table but the store's own record and the commits has a row left.
    let connection = rusqlite::Connection::open(folder.path().join("store.db")).unwrap();
    for table in ["instances", "partitions", "events", "metadata", "labels", "messages", "bodies", "turns", "leases"] {
        let rows: i64 = connection.query_row(&format!("SELECT count(*) FROM {table}"), [], |row| row.get(0)).unwrap();
        assert_eq!(rows, 0, "{table}");
    }
}

#[test]
fn a_file_of_something_else_is_left_alone() {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("thesis.txt");
    fs::write(&path, "years of work, and more of them than a header has bytes: ".repeat(99)).unwrap();
    let before = fs::read(&path).unwrap();
    let error = SqliteProvider::open(&path).unwrap_err();
    assert!(matches!(error, OpenError::Foreign { .. }), "{error}");
    assert_eq!(fs::read(&path).unwrap(), before);

    let path = folder.path().join("other.db");
    let other = rusqlite::Connection::open(&path).unwrap();
    other.execute_batch("CREATE TABLE songs (title TEXT)").unwrap();
    drop(other);
    let error = SqliteProvider::open(&path).unwrap_err();
    assert!(matches!(error, OpenError::Foreign { .. }), "{error}");
}

#[test]
fn a_file_is_made_where_there_is_none() {
    let folder = tempfile::tempdir().unwrap();
    SqliteProvider::open(folder.path().join("deep/er/orders.db")).unwrap();
}

#[test]
fn what_cannot_be_written_is_named() {
    let folder = tempfile::tempdir().unwrap();
    let file = folder.path().join("file");
    fs::write(&file, "").unwrap();
    for path in [folder.path().to_owned(), file.join("below")] {
        let error = SqliteProvider::open(&path).unwrap_err();
        assert!(matches!(&error, OpenError::Unwritable { path: named, .. } if *named == path), "{error}");
    }
}

#[test]
fn a_newer_format_is_refused_and_left_alone() {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("store.db");
    drop(SqliteProvider::open(&path).unwrap());
    let connection = rusqlite::Connection::open(&path).unwrap();
    connection.pragma_update(None, "user_version", 1_000).unwrap();
    drop(connection);
    let error = SqliteProvider::open(&path).unwrap_err();
    assert!(matches!(error, OpenError::NewerFormat { found: 1_000, .. }), "{error}");
    let connection = rusqlite::Connection::open(&path).unwrap();
    let format: i64 = connection.pragma_query_value(None, "user_version", |row| row.get(0)).unwrap();
    assert_eq!(format, 1_000);
}

#[cfg(unix)]
#[test]
fn nobody_else_can_read_the_files() {
    use std::os::unix::fs::PermissionsExt;

    let folder = tempfile::tempdir().unwrap();
    let _store = SqliteProvider::open(folder.path().join("store.db")).unwrap();
    let mut files = 0;
    for entry in fs::read_dir(&folder).unwrap() {
        let entry = entry.unwrap();
        files += 1;
        assert_eq!(entry.metadata().unwrap().permissions().mode() & 0o777, 0o600, "{:?}", entry.path());
    }
    assert_eq!(files, 4);
}

/// Changes the last byte of what is kept in a column, below the provider.
fn damage(path: &std::path::Path, table: &str, column: &str, which: &str) {
    let connection = rusqlite::Connection::open(path).unwrap();
    let select = format!("SELECT {column} FROM {table} WHERE {which}");
    let mut bytes: Vec<u8> = connection.query_row(&select, [], |row| row.get(0)).unwrap();
    *bytes.last_mut().unwrap() ^= 1;
    let changed = connection.execute(&format!("UPDATE {table} SET {column} = ?1 WHERE {which}"), [bytes]).unwrap();
    assert_eq!(changed, 1);
}

#[tokio::test]
async fn a_damaged_record_is_named_and_the_others_go_on() {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("store.db");
    let store = SqliteProvider::open(&path).unwrap();
    for (number, name) in ["a", "b", "c", "d"].into_iter().enumerate() {
        keep(&store, number as u128, everything(name, 10)).await;
    }
    store.close().await;
    damage(&path, "events", "data", "instance = 'a'");
    let body = |queue| format!("sequence = (SELECT sequence FROM messages WHERE instance = 'b' AND queue = {queue})");
    damage(&path, "bodies", "data", &body(0));
    damage(&path, "bodies", "data", &body(1));
    damage(&path, "metadata", "value", "instance = 'c'");
    let store = SqliteProvider::open(&path).unwrap();

    let error = store.history(&id("a"), ExecutionId::FIRST, EventId::FIRST, 10).await.unwrap_err();
    assert_eq!(error.kind(), ErrorKind::Corrupt);
    assert_eq!(error.to_string(), "read history of instance `a` failed: event 1 of execution 1 is damaged");
    assert_eq!(store.instance(&id("c")).await.unwrap_err().kind(), ErrorKind::Corrupt);
    let names = |ids: Vec<durable_runtime::InstanceId>| ids.into_iter().map(|id| id.to_string()).collect::<Vec<_>>();
    let leased = store.fetch_turns(turns()).await.unwrap();
    assert_eq!(names(leased.into_iter().map(|turn| turn.instance).collect()), ["a", "c", "d"]);
    let jobs = store.fetch_activities(activities()).await.unwrap();
    assert_eq!(names(jobs.into_iter().map(|job| job.instance).collect()), ["a", "c", "d"]);
    assert!(store.fetch_turns(turns()).await.unwrap().is_empty(), "what is damaged is set aside");

    // It can still be deleted, and made anew.
    let mut ops = vec![TransactionOp::DeleteInstance { instance: id("b") }];
    ops.extend(everything("b", 10));
    keep(&store, 9, ops).await;
    assert_eq!(store.fetch_turns(turns()).await.unwrap()[0].instance, id("b"));
    assert_eq!(store.fetch_activities(activities()).await.unwrap()[0].instance, id("b"));
}

#[tokio::test]
async fn a_weaker_durability_keeps_everything_that_is_closed_in_order() {
    for durability in [Durability::Interval(Duration::from_secs(3600)), Durability::None] {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("store.db");
        let store = SqliteProvider::options().durability(durability).open(&path).unwrap();
        assert_eq!(store.capabilities().durability, durability);
        keep(&store, 1, everything("a", 10_000)).await;
        store.close().await;
        let store = SqliteProvider::open(&path).unwrap();
        assert_eq!(store.fetch_turns(turns()).await.unwrap()[0].messages[0].data.len(), 10_000);
    }
}

#[tokio::test]
async fn a_full_store_says_so_keeps_what_it_has_and_takes_deletions() {
    let folder = tempfile::tempdir().unwrap();
    let store = SqliteProvider::options().bytes_max(1 << 20).open(folder.path().join("store.db")).unwrap();
    for round in 0..3_u128 {
        let mut kept = Vec::new();
        // Several at once: those that fit are kept although one of their group does not.
        let mut full = false;
        while !full {
            let first = round * 1_000 + kept.len() as u128;
            let names: Vec<_> = (first..first + 4).map(|number| format!("i{number}")).collect();
            let commits = (first..).zip(&names).map(|(number, name)| unfenced(number, everything(name, 20_000)));
            let answers = join_all(commits.map(|commit| store.atomic_batch(commit))).await;
            for (name, answer) in names.into_iter().zip(answers) {
                match answer {
                    Ok(_) => kept.push(name),
                    Err(CommitError::Provider(error)) => {
                        assert_eq!(error.kind(), ErrorKind::Full, "{error}");
                        assert!(error.is_transient());
                        full = true;
                    }
                    Err(other) => panic!("{other}"),
                }
            }
        }
        assert!(kept.len() >= 4, "{kept:?}");
        assert_eq!(store.stats().await.unwrap().instances, kept.len() as u64);
        for name in &kept {
            let history = store.history(&id(name), ExecutionId::FIRST, EventId::FIRST, 10).await.unwrap();
            assert_eq!(history[0].data.len(), 20_000);
        }
        // It goes on by itself when there is room.
        let ops = kept.iter().map(|name| TransactionOp::DeleteInstance { instance: id(name) }).collect();
        keep(&store, round * 1_000 + 999, ops).await;
    }
}

#[tokio::test]
async fn a_log_that_is_gone_after_a_crash_is_noticed() {
    let folder = tempfile::tempdir().unwrap();
    let store = SqliteProvider::open(folder.path().join("store.db")).unwrap();
    keep(&store, 1, everything("a", 10)).await;
    // What a kill leaves behind, without the log.
    let crashed = tempfile::tempdir().unwrap();
    for name in ["store.db", "store.db-handle-1"] {
        fs::copy(folder.path().join(name), crashed.path().join(name)).unwrap();
    }
    let error = SqliteProvider::open(crashed.path().join("store.db")).unwrap_err();
    assert!(matches!(error, OpenError::Corrupt { .. }), "{error}");
    // With the log, everything is there.
    fs::remove_dir_all(crashed.path()).unwrap();
    fs::create_dir(crashed.path()).unwrap();
    for name in ["store.db", "store.db-wal", "store.db-handle-1"] {
        fs::copy(folder.path().join(name), crashed.path().join(name)).unwrap();
    }
    let again = SqliteProvider::open(crashed.path().join("store.db")).unwrap();
    assert_eq!(again.stats().await.unwrap().instances, 1);
}
