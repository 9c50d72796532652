//! Continue-as-new over four executions, with a runtime that ends and begins again in each: every execution has a
//! history of its own, ids count up by one, and a token of an older execution writes nothing. The same for every store.

use std::sync::atomic::{AtomicU64, Ordering};
use std::time::Duration;

use durable_runtime::prelude::*;
use durable_runtime::providers::{
    CommitError, CommitId, LeasedTurn, OwnerId, Provider, Transaction, TransactionOp, TurnRequest,
};
use durable_runtime::testing::ManualClock;
use durable_runtime::testing::conformance::{self, Subject};
use durable_runtime::{ExecutionId, InstanceId, LockToken};
use tempfile::tempdir;

/// What each execution waits for; it stands in the history of that execution and in no other.
#[derive(Debug, Event, Serialize, Deserialize)]
struct Next(u32);

/// One number an execution.
#[orchestration]
async fn generation(ctx: OrchestrationContext, left: u32, sum: u32) -> u32 {
    let sum = sum + ctx.event::<Next>().await.0;
    if left == 1 { sum } else { generation(&ctx, left - 1, sum).continue_as_new().await }
}

fn instance() -> InstanceId {
    InstanceId::new("generations").unwrap()
}

async fn until_execution(store: &impl Provider, execution: u64) {
    let mut seen = 0;
    loop {
        let record = store.wait_for_change(&instance(), seen, Duration::from_secs(20)).await.unwrap().unwrap();
        assert!(record.revision != seen, "execution {execution} does not come");
        if record.execution_id == ExecutionId(execution) {
            return;
        }
        seen = record.revision;
    }
}

/// Leases the instance without a runtime, as the next worker would.
async fn lease(store: &impl Provider) -> LeasedTurn {
    let (owner, ttl, wait) = (OwnerId::new("test"), Duration::from_secs(3600), Duration::ZERO);
    let want = TurnRequest { owner, max: 1, ttl, wait, instance: Some(instance()), skills: None };
    store.fetch_turns(want).await.unwrap().remove(0)
}

/// Does this under a token.
async fn write_under(store: &impl Provider, token: &LockToken, op: TransactionOp) -> Result<(), CommitError> {
    static COMMITS: AtomicU64 = AtomicU64::new(0);
    // Above those of all else that writes here, which draws them by chance.
    let commit_id = CommitId(u128::MAX - u128::from(COMMITS.fetch_add(1, Ordering::Relaxed)));
    store.atomic_batch(Transaction { fence: Some(token.clone()), commit_id, ops: vec![op] }).await.map(drop)
}

/// The proof, for a store that `open` opens again and again.
pub(super) async fn continue_as_new_multiexec<P: Provider + Clone>(open: impl Fn() -> P) {
    let mut tokens: Vec<LockToken> = Vec::new();
    for execution in 1..=4_u64 {
        let store = open();
        let runtime = Runtime::builder(store.clone()).start().await.unwrap();
        let client = runtime.client();
        if execution == 1 {
            generation(&client, 4, 0).id("generations").start().await.unwrap();
        } else {
            let handle = client.handle::<generation>("generations").unwrap();
            handle.raise(Next(execution as u32)).await.unwrap();
        }
        until_execution(&store, execution).await;
        runtime.shutdown(Duration::from_secs(5)).await;
        store.close().await;

        let store = open();
        tokens.push(newest_alone(&store, &tokens, execution).await);
        store.close().await;
    }
    let client = Client::new(open());
    for execution in 1..=4 {
        let history = client.history("generations", ExecutionId(execution)).await.unwrap();
        let ids: Vec<u64> = history.iter().map(|event| event.id.0).collect();
        assert_eq!(ids, (1..=ids.len() as u64).collect::<Vec<_>>());
        // The number that was raised in this execution stands here alone.
        let text = serde_json::to_string(&history).unwrap();
        let raised = text.matches(&format!("\"value\":{}", execution + 1)).count();
        assert_eq!(raised, usize::from(execution < 4), "execution {execution}: {text}");
    }
}

/// The token of this execution names it, and no older one writes anything.
async fn newest_alone(store: &impl Provider, tokens: &[LockToken], execution: u64) -> LockToken {
    let token = lease(store).await.lock_token;
    let LockToken { granted_at_ms, fence, .. } = token;
    assert_eq!(token.to_string(), format!("generations-{execution}-{granted_at_ms}-{fence}"));
    for older in tokens {
        assert!(older.fence < fence);
        // Not even with the newest fence.
        let forged = LockToken { execution_id: older.execution_id, ..token.clone() };
        for worthless in [older, &forged] {
            let entries = vec![("who".to_owned(), Some("an older one".into()))];
            let op = TransactionOp::PutMetadata { instance: instance(), entries };
            let refused = write_under(store, worthless, op).await;
            assert!(matches!(refused, Err(CommitError::LeaseLost(lost)) if lost == *worthless));
        }
    }
    assert!(!store.instance(&instance()).await.unwrap().unwrap().metadata.contains_key("who"));
    write_under(store, &token, TransactionOp::ReleaseLock { delay: None, give_back_attempt: false }).await.unwrap();
    token
}

/// What is in memory cannot be opened again: the same without restarts, as the suite has it for every store.
#[tokio::test]
async fn continue_as_new_multiexec_memory() {
    let clock = ManualClock::new();
    let subject = Subject::new(MemoryProvider::with_clock(clock.clone()), clock);
    conformance::generations::continue_as_new_multiexec(subject).await;
}

#[tokio::test]
async fn continue_as_new_multiexec_sled() {
    let folder = tempdir().unwrap();
    continue_as_new_multiexec(|| SledProvider::open(folder.path()).unwrap()).await;
}

#[cfg(feature = "sqlite")]
#[tokio::test]
async fn continue_as_new_multiexec_sqlite() {
    let folder = tempdir().unwrap();
    let path = folder.path().join("store.db");
    continue_as_new_multiexec(|| durable_runtime::SqliteProvider::open(&path).unwrap()).await;
}
