//! What a store that several processes share owes besides the suite.

mod corruption;
mod opening;
mod sharing;

use std::time::Duration;

use bytes::Bytes;
use durable_runtime::providers::{
    ActivityRequest, CommitId, NewMessage, OwnerId, Provider, Queue, SqliteProvider, Transaction, TransactionOp,
    TurnRequest,
};
use durable_runtime::testing::{ManualClock, conformance};
use durable_runtime::{EventId, ExecutionId, InstanceId, MessageId};
use tempfile::{TempDir, tempdir};

async fn open(clock: ManualClock, folder: TempDir) -> (SqliteProvider, TempDir) {
    (SqliteProvider::options().clock(clock).open(folder.path().join("store.db")).unwrap(), folder)
}

conformance::suite!(on_sqlite, |clock| open(clock, tempdir().unwrap()), reopen: open);

fn id(text: &str) -> InstanceId {
    InstanceId::new(text).unwrap()
}

fn message(text: &str, data: Bytes) -> NewMessage {
    NewMessage {
        id: MessageId::new(text).unwrap(),
        execution_id: ExecutionId::FIRST,
        topic: "work".to_owned(),
        tag: None,
        session: None,
        visible_at: None,
        data,
    }
}

fn create(instance: &str, execution: u64) -> TransactionOp {
    TransactionOp::CreateExecution { instance: id(instance), execution_id: ExecutionId(execution) }
}

fn append(instance: &str, execution: u64, first: u64, events: &[&str]) -> TransactionOp {
    TransactionOp::AppendHistory {
        instance: id(instance),
        execution_id: ExecutionId(execution),
        first: EventId(first),
        events: events.iter().map(|event| Bytes::copy_from_slice(event.as_bytes())).collect(),
    }
}

fn send(instance: &str, text: &str) -> TransactionOp {
    let items = vec![message(text, Bytes::copy_from_slice(text.as_bytes()))];
    TransactionOp::EnqueueWork { queue: Queue::Turns(id(instance)), items }
}

fn schedule(instance: &str, text: &str) -> TransactionOp {
    let items = vec![message(text, Bytes::copy_from_slice(text.as_bytes()))];
    TransactionOp::EnqueueWork { queue: Queue::Activities(id(instance)), items }
}

/// A first execution with one event, a message, an activity, an output and a label.
fn everything(instance: &str, size: usize) -> Vec<TransactionOp> {
    let text = "x".repeat(size);
    let data = Bytes::from(text.clone().into_bytes());
    let put = |queue, text| TransactionOp::EnqueueWork { queue, items: vec![message(text, data.clone())] };
    vec![
        create(instance, 1),
        append(instance, 1, 1, &[&text]),
        put(Queue::Turns(id(instance)), "m"),
        put(Queue::Activities(id(instance)), "job"),
        TransactionOp::PutMetadata { instance: id(instance), entries: vec![("output".to_owned(), Some(data.clone()))] },
        TransactionOp::PutLabels {
            instance: id(instance),
            labels: vec![("kind".to_owned(), Some("order".to_owned()))],
        },
    ]
}

fn unfenced(commit: u128, ops: Vec<TransactionOp>) -> Transaction {
    Transaction { fence: None, commit_id: CommitId(commit), ops }
}

/// Keeps these ops under a commit id of their own.
async fn keep(store: &SqliteProvider, commit: u128, ops: Vec<TransactionOp>) {
    store.atomic_batch(unfenced(commit, ops)).await.unwrap();
}

fn turns() -> TurnRequest {
    let (ttl, wait) = (Duration::from_secs(3600), Duration::ZERO);
    TurnRequest { owner: OwnerId::new("test"), max: 1_000, ttl, wait, instance: None, skills: None }
}

fn activities() -> ActivityRequest {
    let (ttl, wait, topics) = (Duration::from_secs(3600), Duration::ZERO, ["work".to_owned()].into());
    ActivityRequest { owner: OwnerId::new("test"), max: 1_000, ttl, wait, topics, tags: [].into(), session_ttl: None }
}
