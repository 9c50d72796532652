//! Short words for what the checks do.

use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};
use std::time::Duration;

use bytes::Bytes;

use crate::clock::{Clock, Timestamp};
use crate::ids::{EventId, ExecutionId, InstanceId, LockToken, MessageId};
use crate::providers::{
    ActivityRequest, BatchResult, CommitError, CommitId, LeasedActivity, LeasedTurn, NewMessage, OwnerId, PageRequest,
    Provider, Queue, Renewal, Transaction, TransactionOp, TurnRequest,
};
use crate::testing::ManualClock;

/// How long leases last in the checks.
pub(super) const TTL: Duration = Duration::from_secs(30);
/// Longer than anything lasts.
pub(super) const LONG: Duration = Duration::from_secs(1_000_000);

/// A provider under check, and the clock it goes by.
pub struct Subject {
    /// The provider: empty, and used by nobody else.
    pub provider: Arc<dyn Provider>,
    /// Its clock.
    pub clock: ManualClock,
    commits: AtomicU64,
}

impl std::fmt::Debug for Subject {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Subject").field("provider", &self.provider.capabilities().name).finish_non_exhaustive()
    }
}

impl Subject {
    /// Takes an empty provider that goes by this clock.
    pub fn new(provider: impl Provider, clock: ManualClock) -> Self {
        Self { provider: Arc::new(provider), clock, commits: AtomicU64::new(0) }
    }

    pub(super) fn transaction(&self, fence: Option<&LockToken>, ops: Vec<TransactionOp>) -> Transaction {
        let number = self.commits.fetch_add(1, Ordering::Relaxed);
        Transaction { fence: fence.cloned(), commit_id: CommitId(u128::from(number) + 1), ops }
    }

    pub(super) async fn try_commit(
        &self,
        fence: Option<&LockToken>,
        ops: Vec<TransactionOp>,
    ) -> Result<BatchResult, CommitError> {
        self.provider.atomic_batch(self.transaction(fence, ops)).await
    }

    pub(super) async fn commit(&self, fence: Option<&LockToken>, ops: Vec<TransactionOp>) {
        self.try_commit(fence, ops).await.unwrap();
    }

    /// Starts an instance: its first execution, and a message.
    pub(super) async fn start(&self, instance: &str) {
        self.commit(None, vec![create(instance, 1), send(instance, "start")]).await;
    }

    pub(super) async fn turns(&self, max: usize) -> Vec<LeasedTurn> {
        self.provider.fetch_turns(any_turn(max)).await.unwrap()
    }

    /// The one turn that can be had.
    pub(super) async fn turn(&self) -> LeasedTurn {
        only(self.turns(10).await)
    }

    pub(super) async fn turns_of(&self, instance: &str) -> Vec<LeasedTurn> {
        let want = TurnRequest { instance: Some(id(instance)), ..any_turn(1) };
        self.provider.fetch_turns(want).await.unwrap()
    }

    pub(super) async fn turn_of(&self, instance: &str) -> LeasedTurn {
        only(self.turns_of(instance).await)
    }

    pub(super) async fn activities(&self, max: usize) -> Vec<LeasedActivity> {
        self.provider.fetch_activities(any_activity(max)).await.unwrap()
    }

    /// The one activity that can be had.
    pub(super) async fn activity(&self) -> LeasedActivity {
        only(self.activities(10).await)
    }

    pub(super) async fn renew(&self, token: &LockToken) -> Renewal {
        only(self.provider.renew(std::slice::from_ref(token), TTL).await.unwrap())
    }

    /// The events of an execution as text.
    pub(super) async fn history(&self, instance: &str, execution: u64) -> Vec<String> {
        let events = self.provider.history(&id(instance), ExecutionId(execution), EventId::FIRST, usize::MAX).await;
        events.unwrap().into_iter().map(|event| text(&event.data)).collect()
    }

    pub(super) async fn exists(&self, instance: &str) -> bool {
        self.provider.instance(&id(instance)).await.unwrap().is_some()
    }

    pub(super) async fn revision(&self, instance: &str) -> u64 {
        self.provider.instance(&id(instance)).await.unwrap().map_or(0, |record| record.revision)
    }

    pub(super) async fn listed(&self, page: PageRequest) -> Vec<String> {
        let page = self.provider.instances(page).await.unwrap();
        page.instances.into_iter().map(|record| record.instance.to_string()).collect()
    }

    pub(super) fn in_time(&self, seconds: u64) -> Timestamp {
        self.clock.now().saturating_add(Duration::from_secs(seconds))
    }
}

pub(super) fn only<T: std::fmt::Debug>(mut all: Vec<T>) -> T {
    assert_eq!(all.len(), 1, "expected exactly one: {all:?}");
    all.remove(0)
}

pub(super) fn text(data: &Bytes) -> String {
    String::from_utf8(data.to_vec()).unwrap()
}

pub(super) fn id(text: &str) -> InstanceId {
    InstanceId::new(text).unwrap()
}

pub(super) fn message_id(text: &str) -> MessageId {
    MessageId::new(text).unwrap()
}

pub(super) fn owner() -> OwnerId {
    OwnerId::new("check")
}

pub(super) fn any_turn(max: usize) -> TurnRequest {
    TurnRequest { owner: owner(), max, ttl: TTL, wait: Duration::ZERO, instance: None }
}

pub(super) fn any_activity(max: usize) -> ActivityRequest {
    let topics = ["work".to_owned()].into();
    ActivityRequest { owner: owner(), max, ttl: TTL, wait: Duration::ZERO, topics, tags: [].into() }
}

/// The ids of the messages of a turn.
pub(super) fn ids(turn: &LeasedTurn) -> Vec<String> {
    turn.messages.iter().map(|message| message.id.to_string()).collect()
}

pub(super) fn message(text: &str) -> NewMessage {
    NewMessage {
        id: message_id(text),
        execution_id: ExecutionId::FIRST,
        topic: String::new(),
        tag: None,
        visible_at: None,
        data: Bytes::copy_from_slice(text.as_bytes()),
    }
}

pub(super) fn work(text: &str) -> NewMessage {
    NewMessage { topic: "work".to_owned(), ..message(text) }
}

pub(super) fn create(instance: &str, execution: u64) -> TransactionOp {
    TransactionOp::CreateExecution { instance: id(instance), execution_id: ExecutionId(execution) }
}

pub(super) fn append(instance: &str, execution: u64, first: u64, events: &[&str]) -> TransactionOp {
    TransactionOp::AppendHistory {
        instance: id(instance),
        execution_id: ExecutionId(execution),
        first: EventId(first),
        events: events.iter().map(|event| Bytes::copy_from_slice(event.as_bytes())).collect(),
    }
}

pub(super) fn enqueue(queue: Queue, items: Vec<NewMessage>) -> TransactionOp {
    TransactionOp::EnqueueWork { queue, items }
}

pub(super) fn send(instance: &str, text: &str) -> TransactionOp {
    enqueue(Queue::Turns(id(instance)), vec![message(text)])
}

pub(super) fn send_at(instance: &str, text: &str, at: Timestamp) -> TransactionOp {
    enqueue(Queue::Turns(id(instance)), vec![NewMessage { visible_at: Some(at), ..message(text) }])
}

pub(super) fn schedule(instance: &str, text: &str) -> TransactionOp {
    enqueue(Queue::Activities(id(instance)), vec![work(text)])
}

pub(super) fn ack(instance: &str, messages: &[&str]) -> TransactionOp {
    let messages = messages.iter().map(|text| message_id(text)).collect();
    TransactionOp::AckMessages { instance: id(instance), messages }
}

pub(super) fn ack_work(token: &LockToken) -> TransactionOp {
    TransactionOp::AckWork { token: token.clone() }
}

pub(super) fn retry(token: &LockToken, delay: Duration, data: &str) -> TransactionOp {
    let data = Bytes::copy_from_slice(data.as_bytes());
    TransactionOp::RetryWork { token: token.clone(), delay, data }
}

pub(super) fn cancel(queue: Queue, items: &[&str]) -> TransactionOp {
    TransactionOp::CancelWork { queue, items: items.iter().map(|text| message_id(text)).collect() }
}

pub(super) fn put(instance: &str, key: &str, value: Option<&str>) -> TransactionOp {
    let value = value.map(|value| Bytes::copy_from_slice(value.as_bytes()));
    TransactionOp::PutMetadata { instance: id(instance), entries: vec![(key.to_owned(), value)] }
}

pub(super) fn label(instance: &str, name: &str, value: Option<&str>) -> TransactionOp {
    let labels = vec![(name.to_owned(), value.map(str::to_owned))];
    TransactionOp::PutLabels { instance: id(instance), labels }
}

pub(super) fn delete(instance: &str) -> TransactionOp {
    TransactionOp::DeleteInstance { instance: id(instance) }
}

pub(super) fn release() -> TransactionOp {
    TransactionOp::ReleaseLock { delay: None }
}

pub(super) fn release_for(seconds: u64) -> TransactionOp {
    TransactionOp::ReleaseLock { delay: Some(Duration::from_secs(seconds)) }
}
