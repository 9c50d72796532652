//! Small pieces, each by itself: `cargo bench -p durable-bench --bench micro`.

#![allow(clippy::unwrap_used, missing_docs, reason = "a benchmark")]

use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};

use bytes::Bytes;
use divan::counter::ItemsCount;
use divan::{Bencher, black_box};
use durable_runtime::prelude::*;
use durable_runtime::providers::{CommitId, MemoryProvider, Transaction, TransactionOp};
use durable_runtime::testing::{RecordedHistory, Replayer};
use durable_runtime::{
    EventId, ExecutionId, FsProvider, InstanceId, Limits, Payload, Provider, SledProvider, SqliteProvider,
};
use durable_workloads::Note;
use tempfile::TempDir;

#[activity]
async fn echo(note: Note) -> Note {
    note
}

#[orchestration]
async fn steps(ctx: OrchestrationContext, count: usize, note: Note) -> Result<Note, ActivityError> {
    let mut note = note;
    for _ in 0..count {
        note = echo(&ctx, note).await?;
    }
    Ok(note)
}

fn main() {
    divan::main();
}

fn tokio() -> tokio::runtime::Runtime {
    tokio::runtime::Builder::new_multi_thread().enable_all().build().unwrap()
}

/// A turn: message in, polled, transaction out; in memory, so that no disk is waited for. The whole way of a step.
#[divan::bench(sample_count = 20, sample_size = 1)]
fn turn(bencher: Bencher<'_, '_>) {
    const STEPS: usize = 200;
    let tokio = tokio();
    let runtime = tokio.block_on(Runtime::builder(MemoryProvider::new()).start()).unwrap();
    let client = runtime.client();
    bencher.counter(ItemsCount::new(STEPS)).bench(|| {
        tokio.block_on(async { steps(&client, STEPS, Note::new(1)).start().await.unwrap().result().await.unwrap() })
    });
}

/// A history gone through from its first event.
#[divan::bench(args = [100, 1_000, 10_000, 50_000], sample_count = 10, sample_size = 1)]
fn replay(bencher: Bencher<'_, '_>, events: usize) {
    let recorded = recorded(events);
    let mut limits = Limits::default();
    limits.history_events_max = 100_000;
    let replayer = Replayer::new().unwrap().limits(limits);
    bencher.counter(ItemsCount::new(recorded.events.len())).bench(|| replayer.check(&recorded).unwrap());
}

fn recorded(events: usize) -> RecordedHistory {
    let tokio = tokio();
    tokio.block_on(async {
        let mut limits = Limits::default();
        limits.history_events_max = 100_000;
        let runtime = Runtime::builder(MemoryProvider::new()).limits(limits).start().await.unwrap();
        let handle = steps(&runtime.client(), events / 2, Note::new(1)).start().await.unwrap();
        handle.result().await.unwrap();
        let execution_id = handle.status().await.unwrap().execution_id;
        RecordedHistory { instance: handle.id().clone(), execution_id, events: handle.history().await.unwrap() }
    })
}

/// A payload, as it goes into a record.
#[divan::bench]
fn encode(bencher: Bencher<'_, '_>) {
    let note = Note::new(1);
    bencher.bench(|| Payload::encode(black_box(&note)).unwrap());
}

#[divan::bench]
fn decode(bencher: Bencher<'_, '_>) {
    let payload = Payload::encode(&Note::new(1)).unwrap();
    bencher.bench(|| black_box(&payload).decode::<Note>().unwrap());
}

const STORES: [&str; 4] = ["memory", "fs", "sled", "sqlite"];

/// The events of a turn kept, by one committer: on disk, this is one flush.
#[divan::bench(args = STORES, sample_count = 50, sample_size = 1)]
fn commit(bencher: Bencher<'_, '_>, store: &str) {
    let (tokio, folder, next) = (tokio(), TempDir::new().unwrap(), AtomicU64::new(1));
    let provider: Arc<dyn Provider> = match store {
        "memory" => Arc::new(MemoryProvider::new()),
        "fs" => Arc::new(FsProvider::open(folder.path().join("store")).unwrap()),
        "sled" => Arc::new(SledProvider::open(folder.path().join("store")).unwrap()),
        _ => Arc::new(SqliteProvider::open(folder.path().join("store.db")).unwrap()),
    };
    bencher.bench(|| tokio.block_on(provider.atomic_batch(turn_of(next.fetch_add(1, Ordering::Relaxed)))).unwrap());
    tokio.block_on(provider.close());
}

/// A start: an execution of four events of 200 bytes.
fn turn_of(number: u64) -> Transaction {
    let instance = InstanceId::new(format!("instance-{number}")).unwrap();
    let execution_id = ExecutionId::FIRST;
    let events = vec![Bytes::from_static(&[b'x'; 200]); 4];
    let ops = vec![
        TransactionOp::CreateExecution { instance: instance.clone(), execution_id },
        TransactionOp::AppendHistory { instance: instance.clone(), execution_id, first: EventId(1), events },
        TransactionOp::PutMetadata { instance, entries: vec![("state".to_owned(), Some(Bytes::from_static(b"{}")))] },
    ];
    Transaction { fence: None, commit_id: CommitId(number.into()), ops }
}
