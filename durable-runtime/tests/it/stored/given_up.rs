//! An instance that is given up because its process died in its turn again and again: here it is only said so to the store.

use bytes::Bytes;
use durable_runtime::prelude::*;
use durable_runtime::providers::{CommitId, OwnerId, Transaction, TransactionOp, TurnRequest};
use durable_runtime::testing::RecordedHistory;
use durable_runtime::{Limits, Provider as _};

use super::programs as p;

/// As many turns are begun as a process may die of, and one more is tried alone; then a runtime comes.
pub(super) async fn in_its_next_turn(store: MemoryProvider, id: &str) -> RecordedHistory {
    let go = p::Go { by: "Ada".to_owned() };
    Client::new(store.clone()).raise(id, "stored.go", &go).await.unwrap();
    for death in 1..=u128::from(Limits::default().deliveries_max) {
        let (owner, ttl, wait) = (OwnerId::new("dies"), Duration::from_secs(30), Duration::ZERO);
        let want = TurnRequest { owner, max: 1, ttl, wait, instance: None, skills: None };
        let turn = store.fetch_turns(want).await.unwrap().remove(0);
        let alone = vec![("trial".to_owned(), Some(Bytes::from_static(b"true")))];
        let ops = vec![
            TransactionOp::PutMetadata { instance: turn.instance.clone(), entries: alone },
            TransactionOp::ReleaseLock { delay: None, give_back_attempt: false },
        ];
        let died = Transaction { fence: Some(turn.lock_token), commit_id: CommitId(death), ops };
        store.atomic_batch(died).await.unwrap();
    }
    let runtime = Runtime::builder(store).shards(1).start().await.unwrap();
    let handle = runtime.client().handle::<p::nothing>(id).unwrap();
    let ended = handle.result().await.unwrap_err();
    assert!(ended.to_string().contains("its process died 10 times in a row"), "{ended}");
    let (instance, execution_id) = (handle.id().clone(), handle.status().await.unwrap().execution_id);
    let history = RecordedHistory { instance, execution_id, events: handle.history().await.unwrap() };
    runtime.shutdown(Duration::from_secs(5)).await;
    history
}
