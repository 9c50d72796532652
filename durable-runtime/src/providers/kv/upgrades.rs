//! Stores that an earlier version has written open, and everything in them is found again. A store of today is made one of
//! then: what a format has beside the one before is taken away, and the store says that it is of that one.

use std::path::Path;
use std::time::Duration;

use bytes::Bytes;

use super::copy::InFolder;
use super::engine::KvProvider;
use super::folder::Folder;
use super::keys;
use super::record::{self, Kind, Place};
use super::store::{Order, OrderedStore};
use crate::ids::{EventId, ExecutionId, InstanceId, MessageId};
use crate::providers::{
    CommitId, Maintain, NewMessage, OpenError, OwnerId, PageRequest, Provider, Queue, Transaction, TransactionOp,
    TurnRequest,
};

const INSTANCES: u128 = 60;

fn id(number: u128) -> InstanceId {
    InstanceId::new(format!("i{number:03}")).unwrap()
}

fn data(number: u128) -> Bytes {
    vec![b'x'; [10, 700, 5_000, 20_000][number as usize % 4]].into()
}

/// All that there was in the first format.
fn everything(number: u128) -> Vec<TransactionOp> {
    let (instance, data, execution_id) = (id(number), data(number), ExecutionId::FIRST);
    let message = |name: &str| NewMessage {
        id: MessageId::new(name).unwrap(),
        execution_id,
        topic: "work".to_owned(),
        tag: Some("tag".to_owned()),
        session: None,
        visible_at: None,
        data: data.clone(),
    };
    let label = |name: &str, value: String| (name.to_owned(), Some(value));
    vec![
        TransactionOp::CreateExecution { instance: instance.clone(), execution_id },
        TransactionOp::AppendHistory {
            instance: instance.clone(),
            execution_id,
            first: EventId::FIRST,
            events: vec![data.clone(), data.clone()],
        },
        TransactionOp::EnqueueWork { queue: Queue::Turns(instance.clone()), items: vec![message("m")] },
        TransactionOp::EnqueueWork { queue: Queue::Activities(instance.clone()), items: vec![message("job")] },
        TransactionOp::PutMetadata { instance: instance.clone(), entries: vec![("output".to_owned(), Some(data))] },
        TransactionOp::PutLabels {
            instance,
            labels: vec![label("kind", "order".to_owned()), label("third", (number % 3).to_string())],
        },
    ]
}

async fn keep(store: &impl Provider, commit: u128, ops: Vec<TransactionOp>) {
    store.atomic_batch(Transaction { fence: None, commit_id: CommitId(commit), ops }).await.unwrap();
}

async fn check(store: &impl Maintain) {
    for number in 0..INSTANCES {
        let (id, data) = (id(number), data(number));
        let record = store.instance(&id).await.unwrap().unwrap();
        assert_eq!((&record.metadata["output"], record.labels["kind"].as_str()), (&data, "order"));
        let events = store.history(&id, ExecutionId::FIRST, EventId::FIRST, 9).await.unwrap();
        assert!(events.len() == 2 && events.iter().all(|event| event.data == data));
        let waiting = store.messages(&id, 9).await.unwrap().messages;
        assert!(waiting.len() == 2 && waiting.iter().all(|message| message.data == data));
        let third = vec![("third".to_owned(), (number % 3).to_string())];
        let page = PageRequest { labels: third, limit: 1_000, ..PageRequest::default() };
        let found = store.instances(page).await.unwrap().instances;
        assert!(found.len() == 20 && found.iter().any(|record| record.instance == id));
    }
    let checkup = store.doctor().await.unwrap();
    assert!(checkup.is_sound(), "{checkup}");
    assert_eq!(store.stats().await.unwrap().instances, INSTANCES as u64);
}

/// To format 1, in which labels had no index. If one has begun to make it, a part is there.
fn to_format_1(store: &mut dyn OrderedStore, begun: bool) {
    let labels = keys::labels();
    let index = store.scan(&labels.start..&labels.end, Order::Ascending, usize::MAX).unwrap();
    assert_eq!(index.len(), 2 * INSTANCES as usize);
    let rest = if begun { index.len() / 2 } else { 0 };
    let mut batch: Vec<_> = index.into_iter().skip(rest).map(|(key, _)| (key.to_vec(), None)).collect();
    let place = Place { kind: Kind::Store, owner: None, key: keys::STORE };
    let (_, body) = record::open(place, store.get(keys::STORE).unwrap().unwrap()).unwrap();
    let older = [1_u64.to_be_bytes().as_slice(), &body[8..]].concat();
    batch.push((keys::STORE.to_vec(), Some(record::seal(place, 0, &older))));
    store.apply(batch).unwrap();
    store.sync().unwrap();
}

async fn from_format_1<A: InFolder>(open: impl Fn(&Path) -> KvProvider<A>) {
    let folder = tempfile::tempdir().unwrap();
    let store = open(folder.path());
    for number in 0..INSTANCES {
        keep(&store, number, everything(number)).await;
    }
    let want = TurnRequest {
        owner: OwnerId::new("test"),
        max: 1,
        ttl: Duration::from_secs(9),
        wait: Duration::ZERO,
        instance: Some(id(0)),
        skills: None,
    };
    let fence = store.fetch_turns(want.clone()).await.unwrap()[0].lock_token.fence;
    store.close().await;
    for begun in [false, true] {
        let taken = Folder::take(folder.path(), A::KIND).unwrap();
        let mut keys = A::open_keys(&taken).unwrap();
        to_format_1(&mut *keys, begun);
        drop((keys, taken));
        let store = open(folder.path());
        check(&store).await;
        // What was kept before is known, and fences grow.
        keep(&store, 7, everything(7)).await;
        assert!(store.fetch_turns(want.clone()).await.unwrap()[0].lock_token.fence > fence);
        store.close().await;
    }
}

/// A format of tomorrow is not read, and nothing is changed.
async fn of_a_newer_format<A: InFolder>(open: impl Fn(&Path) -> Result<KvProvider<A>, OpenError>) {
    let folder = tempfile::tempdir().unwrap();
    open(folder.path()).unwrap().close().await;
    let place = Place { kind: Kind::Store, owner: None, key: keys::STORE };
    let newer = [77_u64.to_be_bytes(), 5_u64.to_be_bytes()].concat();
    let sealed = record::seal(place, 0, &newer);
    {
        let taken = Folder::take(folder.path(), A::KIND).unwrap();
        let mut keys = A::open_keys(&taken).unwrap();
        keys.apply(vec![(keys::STORE.to_vec(), Some(sealed.clone()))]).unwrap();
        keys.sync().unwrap();
    }
    let error = open(folder.path()).err().unwrap();
    assert!(matches!(error, OpenError::NewerFormat { found: 77, supported: 2, .. }), "{error:?}");
    let taken = Folder::take(folder.path(), A::KIND).unwrap();
    let keys = A::open_keys(&taken).unwrap();
    assert_eq!(keys.get(keys::STORE).unwrap().unwrap(), sealed);
}

#[cfg(feature = "sled")]
#[tokio::test]
async fn a_store_of_sled_of_format_1_is_brought_up() {
    from_format_1(|path| super::SledProvider::open(path).unwrap()).await;
    of_a_newer_format(|path| super::SledProvider::open(path)).await;
}

#[tokio::test]
async fn a_store_of_plain_files_of_format_1_is_brought_up() {
    let options = || super::FsProvider::options().segment_bytes(256 << 10);
    from_format_1(|path| options().open(path).unwrap()).await;
    of_a_newer_format(|path| options().open(path)).await;
}
