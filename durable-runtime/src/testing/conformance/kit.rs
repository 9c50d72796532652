//! Short words for what the checks do.

use std::time::Duration;

use bytes::Bytes;

pub(super) use super::subject::Subject;
use crate::clock::Timestamp;
use crate::ids::{EventId, ExecutionId, InstanceId, LockToken, MessageId};
use crate::providers::{ActivityRequest, LeasedTurn, NewMessage, OwnerId, Queue, TransactionOp, TurnRequest};

/// How long leases last in the checks.
pub(super) const TTL: Duration = Duration::from_secs(30);
/// Longer than anything lasts.
pub(super) const LONG: Duration = Duration::from_secs(1_000_000);

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
    TurnRequest { owner: owner(), max, ttl: TTL, wait: Duration::ZERO, instance: None, skills: None }
}

pub(super) fn any_activity(max: usize) -> ActivityRequest {
    let topics = ["work".to_owned()].into();
    ActivityRequest { owner: owner(), max, ttl: TTL, wait: Duration::ZERO, topics, tags: [].into(), session_ttl: None }
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
        session: None,
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
    TransactionOp::ReleaseLock { delay: None, give_back_attempt: false }
}

pub(super) fn release_for(seconds: u64) -> TransactionOp {
    TransactionOp::ReleaseLock { delay: Some(Duration::from_secs(seconds)), give_back_attempt: false }
}

/// Sets one of the keys and values of an instance.
pub(super) fn note(instance: &str, key: &str, value: Option<&str>) -> TransactionOp {
    let value = value.map(|value| Bytes::copy_from_slice(value.as_bytes()));
    TransactionOp::PutKv { instance: id(instance), entries: vec![(key.to_owned(), value)] }
}

/// Puts a leased activity back as it was, after so many seconds.
pub(super) fn put_back(token: &LockToken, seconds: u64, give_back_attempt: bool) -> TransactionOp {
    let delay = (seconds > 0).then(|| Duration::from_secs(seconds));
    TransactionOp::ReleaseWork { token: token.clone(), delay, give_back_attempt }
}

/// Ends the lease of the fence, and gives the attempt back.
pub(super) fn release_unseen(delay: Option<Duration>) -> TransactionOp {
    TransactionOp::ReleaseLock { delay, give_back_attempt: true }
}

pub(super) fn prune(instance: &str, execution: u64) -> TransactionOp {
    TransactionOp::DeleteExecution { instance: id(instance), execution_id: ExecutionId(execution) }
}
