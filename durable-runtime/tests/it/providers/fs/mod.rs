//! What the store of plain files owes besides the suite.

mod corruption;
mod histories;
mod opening;

use std::fs;
use std::path::{Path, PathBuf};
use std::time::Duration;

use bytes::Bytes;
use durable_runtime::providers::{
    ActivityRequest, CommitId, NewMessage, OwnerId, Provider, Queue, Transaction, TransactionOp, TurnRequest,
};
use durable_runtime::{EventId, ExecutionId, FsOptions, FsProvider, InstanceId, MessageId};

fn id(text: &str) -> InstanceId {
    InstanceId::new(text).unwrap()
}

/// A store with small files, so that there are many.
fn options() -> FsOptions {
    FsProvider::options().segment_bytes(64 * 1024)
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

fn append(instance: &str, execution: u64, first: u64, events: &[&str]) -> TransactionOp {
    TransactionOp::AppendHistory {
        instance: id(instance),
        execution_id: ExecutionId(execution),
        first: EventId(first),
        events: events.iter().map(|event| Bytes::copy_from_slice(event.as_bytes())).collect(),
    }
}

fn create(instance: &str, execution: u64) -> TransactionOp {
    TransactionOp::CreateExecution { instance: id(instance), execution_id: ExecutionId(execution) }
}

/// A first execution with one event, a message, an activity and an output.
fn everything(instance: &str, size: usize) -> Vec<TransactionOp> {
    let text = "x".repeat(size);
    let data = Bytes::from(text.clone().into_bytes());
    vec![
        create(instance, 1),
        append(instance, 1, 1, &[&text]),
        TransactionOp::EnqueueWork { queue: Queue::Turns(id(instance)), items: vec![message("m", data.clone())] },
        TransactionOp::EnqueueWork {
            queue: Queue::Activities(id(instance)),
            items: vec![message("job", data.clone())],
        },
        TransactionOp::PutMetadata { instance: id(instance), entries: vec![("output".to_owned(), Some(data))] },
    ]
}

fn unfenced(commit: u128, ops: Vec<TransactionOp>) -> Transaction {
    Transaction { fence: None, commit_id: CommitId(commit), ops }
}

/// Keeps these ops under a commit id of their own.
async fn keep(store: &FsProvider, commit: u128, ops: Vec<TransactionOp>) {
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

/// All readable histories below a store, by the id that stands beside them and the execution.
fn readable(store: &Path) -> Vec<(String, u64, String)> {
    let mut found = Vec::new();
    for instance in entries(&store.join("instances")) {
        let id = fs::read_to_string(instance.join("id.txt")).unwrap();
        for execution in entries(&instance.join("executions")) {
            let number = execution.file_name().unwrap().to_str().unwrap().parse().unwrap();
            assert_eq!(entries(&execution), [execution.join("history.jsonl")]);
            found.push((id.clone(), number, fs::read_to_string(execution.join("history.jsonl")).unwrap()));
        }
    }
    found.sort();
    found
}

fn entries(folder: &Path) -> Vec<PathBuf> {
    let Ok(entries) = fs::read_dir(folder) else { return Vec::new() };
    let mut paths: Vec<_> = entries.map(|entry| entry.unwrap().path()).collect();
    paths.sort();
    paths
}

/// The files of the journal whose name begins so.
fn journal(store: &Path, prefix: &str) -> Vec<PathBuf> {
    let is = |path: &PathBuf| path.file_name().unwrap().to_str().unwrap().starts_with(prefix);
    entries(&store.join("journal")).into_iter().filter(is).collect()
}
