//! A record that is damaged stops its instance alone: it is named by `why` and by `doctor`, nothing that is sent to it is
//! lost or waits for ever, it can be deleted, and the others go on. On every store that opens with such a record.

use std::fs;
use std::path::Path;
use std::time::Duration;

use bytes::Bytes;
use durable_runtime::prelude::*;
use durable_runtime::providers::{CommitId, Maintain, Transaction, TransactionOp};
use durable_runtime::{ExecutionId, FsProvider, InstanceId, Provider, SledProvider};

use crate::engine::kit::{SOON, soon};
use crate::providers::sled::open_keys;

/// Three words are in the history before anything is damaged.
const WORDS: u32 = 3;

#[orchestration]
async fn counts_words(ctx: OrchestrationContext, mark: String) -> u32 {
    ctx.kv().set("mark", &mark).unwrap();
    let mut words = 0;
    while ctx.event_named::<String>("word").await != "end" {
        words += 1;
    }
    words
}

/// The record that is damaged.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum What {
    FirstEvents,
    LastEvents,
    Instance,
    Value,
}

/// A store that can be opened and damaged.
trait Damaged {
    type Store: Maintain + Clone;
    const CASES: &[What];
    /// Where it can be told that it has not ended, so that it has to be ended before it is deleted.
    const ENDED_FIRST: &[What];

    fn open(folder: &Path) -> Self::Store;
    async fn damage(folder: &Path, instance: &str, what: What);
}

async fn words(runtime: &Runtime, instance: &str) {
    let client = runtime.client();
    counts_words(&client, format!("mark of {instance}")).id(instance).start().await.unwrap();
    for _ in 0..WORDS {
        client.raise(instance, "word", &"one").await.unwrap();
    }
}

async fn each_is_parked_alone<D: Damaged>() {
    for what in D::CASES {
        one_is_parked_alone::<D>(*what).await;
    }
}

async fn one_is_parked_alone<D: Damaged>(what: What) {
    let folder = tempfile::tempdir().unwrap();
    let store = D::open(folder.path());
    let runtime = Runtime::builder(store.clone()).start().await.unwrap();
    for instance in ["healthy", "victim"] {
        words(&runtime, instance).await;
    }
    runtime.shutdown(SOON).await;
    store.close().await;
    D::damage(folder.path(), "victim", what).await;

    let store = D::open(folder.path());
    let case = format!("{what:?} on {}", store.capabilities().name);
    let runtime = Runtime::builder(store.clone()).start().await.unwrap();
    let client = runtime.client();
    // What is sent to it is kept, or refused with the reason; nobody waits for ever.
    if let Err(error) = soon(client.raise("victim", "word", &"more")).await {
        assert!(error.to_string().contains("damaged"), "{case}: {error}");
    }
    client.raise("healthy", "word", &"end").await.unwrap();
    let healthy = client.handle::<counts_words>("healthy").unwrap();
    assert_eq!(soon(healthy.result()).await.unwrap(), WORDS, "{case}");

    let report = client.suspended("victim").unwrap().unwrap_or_else(|| panic!("{case}: it is not parked"));
    assert!(report.contains("`victim`") && report.contains("damaged"), "{case}: {report}");
    let why = match soon(client.why("victim")).await {
        Ok(why) => why.to_string(),
        // Without its record nothing can be said of it but that.
        Err(error) => error.to_string(),
    };
    assert!(why.contains("damaged"), "{case}: {why}");
    let checkup = store.doctor().await.unwrap();
    let named = checkup.findings.iter().any(|finding| {
        finding.instance.as_ref().is_some_and(|instance| instance.as_str() == "victim")
            || finding.record.contains("victim")
    });
    assert!(named, "{case}: {checkup}");

    // Lists have all others, and say which one they know nothing of.
    for page in [client.query(), client.query().name(counts_words::NAME)].map(|query| query.page()) {
        let page = page.await.unwrap();
        let listed: Vec<_> = page.instances.iter().map(|status| status.instance.as_str()).collect();
        let damaged: Vec<_> = page.damaged.iter().map(|one| one.instance.as_str()).collect();
        if what == What::Instance {
            assert!(listed.contains(&"healthy") && damaged == ["victim"], "{case}: {listed:?} {damaged:?}");
            assert!(page.damaged[0].damage.contains("damaged"), "{case}: {:?}", page.damaged);
        } else {
            assert!(listed.contains(&"victim") && damaged.is_empty(), "{case}: {listed:?} {damaged:?}");
        }
    }

    if D::ENDED_FIRST.contains(&what) {
        soon(client.terminate("victim", "it cannot be read")).await.unwrap();
    }
    soon(client.delete("victim")).await.unwrap_or_else(|error| panic!("{case}: {error}"));
    words(&runtime, "victim").await;
    client.raise("victim", "word", &"end").await.unwrap();
    let again = client.handle::<counts_words>("victim").unwrap();
    assert_eq!(soon(again.result()).await.unwrap(), WORDS, "{case}: it is a new one");
    assert!(store.doctor().await.unwrap().is_sound(), "{case}");
    runtime.shutdown(Duration::from_secs(5)).await;
    store.close().await;
}

fn flip_last(bytes: &mut [u8]) {
    *bytes.last_mut().unwrap() ^= 1;
}

struct InSled;

impl Damaged for InSled {
    type Store = SledProvider;
    const CASES: &[What] = &[What::FirstEvents, What::LastEvents, What::Instance, What::Value];
    const ENDED_FIRST: &[What] = &[What::FirstEvents, What::Value];

    fn open(folder: &Path) -> SledProvider {
        SledProvider::open(folder).unwrap()
    }

    async fn damage(folder: &Path, instance: &str, what: What) {
        let keys = open_keys(folder);
        let kind = match what {
            What::Instance => 0x10,
            What::FirstEvents | What::LastEvents => 0x11,
            What::Value => 0x15,
        };
        let prefix = [&[kind], instance.as_bytes(), &[0]].concat();
        let mut found = keys.scan_prefix(prefix);
        let pair = if what == What::LastEvents { found.next_back() } else { found.next() };
        let (key, value) = pair.unwrap().unwrap();
        let mut value = value.to_vec();
        flip_last(&mut value);
        keys.insert(key, value).unwrap();
        keys.flush().unwrap();
    }
}

#[tokio::test]
async fn in_sled() {
    each_is_parked_alone::<InSled>().await;
}

#[cfg(feature = "sqlite")]
mod in_a_database {
    use durable_runtime::SqliteProvider;

    use super::*;

    struct InSqlite;

    impl Damaged for InSqlite {
        type Store = SqliteProvider;
        const CASES: &[What] = &[What::FirstEvents, What::LastEvents, What::Instance, What::Value];
        const ENDED_FIRST: &[What] = &[What::FirstEvents, What::LastEvents, What::Value];

        fn open(folder: &Path) -> SqliteProvider {
            SqliteProvider::open(folder.join("store.db")).unwrap()
        }

        async fn damage(folder: &Path, instance: &str, what: What) {
            let (table, column, which) = match what {
                What::FirstEvents => ("events", "data", "event = 1"),
                What::LastEvents => ("events", "data", "event = (SELECT max(event) FROM events)"),
                What::Instance => ("metadata", "value", "key = (SELECT min(key) FROM metadata)"),
                What::Value => ("entries", "value", "true"),
            };
            let which = format!("instance = '{instance}' AND {which}");
            let connection = rusqlite::Connection::open(folder.join("store.db")).unwrap();
            let select = format!("SELECT {column} FROM {table} WHERE {which}");
            let mut bytes: Vec<u8> = connection.query_row(&select, [], |row| row.get(0)).unwrap();
            flip_last(&mut bytes);
            let update = format!("UPDATE {table} SET {column} = ?1 WHERE {which}");
            assert_eq!(connection.execute(&update, [bytes]).unwrap(), 1);
        }
    }

    #[tokio::test]
    async fn in_sqlite() {
        each_is_parked_alone::<InSqlite>().await;
    }
}

struct InFs;

impl Damaged for InFs {
    type Store = FsProvider;
    /// Of what stands behind a snapshot, since all that comes after it is read when the store is opened.
    const CASES: &[What] = &[What::FirstEvents, What::Value];
    const ENDED_FIRST: &[What] = Self::CASES;

    fn open(folder: &Path) -> FsProvider {
        FsProvider::options().segment_bytes(64 << 10).snapshot_after(100_000).open(folder).unwrap()
    }

    async fn damage(folder: &Path, _instance: &str, what: What) {
        fill(folder).await;
        let mark: &[u8] = b"\"mark of victim\"";
        let mut segments: Vec<_> = fs::read_dir(folder.join("journal")).unwrap().map(|it| it.unwrap().path()).collect();
        segments.retain(|path| path.file_name().unwrap().to_string_lossy().starts_with("segment-"));
        segments.sort();
        let mut bytes = fs::read(&segments[0]).unwrap();
        // Its first commit has the history, and behind that the values, in the order of their keys.
        let mut found = bytes.windows(mark.len()).enumerate().filter(|(_, window)| *window == mark).map(|(at, _)| at);
        let at = if what == What::Value { found.next_back() } else { found.next() };
        bytes[at.unwrap()] ^= 1;
        fs::write(&segments[0], bytes).unwrap();
    }
}

/// So much that what was there before is behind a snapshot.
async fn fill(folder: &Path) {
    let store = InFs::open(folder);
    for number in 0..200_u128 {
        let instance = InstanceId::new(format!("filler {number}")).unwrap();
        let entries = vec![("filler".to_owned(), Some(Bytes::from(vec![b'f'; 2_000])))];
        let create = TransactionOp::CreateExecution { instance: instance.clone(), execution_id: ExecutionId::FIRST };
        let ops = vec![create, TransactionOp::PutMetadata { instance, entries }];
        let commit_id = CommitId(u128::MAX - number);
        store.atomic_batch(Transaction { fence: None, commit_id, ops }).await.unwrap();
    }
    store.close().await;
}

#[tokio::test]
async fn in_plain_files() {
    each_is_parked_alone::<InFs>().await;
}
