//! From small numbers to calls: names, leases and places in histories, for the model and for the store.

use std::ops::Range;
use std::sync::Arc;
use std::time::Duration;

use bytes::Bytes;
use durable_runtime::providers::{
    CommitId, KvPageRequest, LabelFilter, NewMessage, PageRequest, Queue, Skills, Transaction, TransactionOp,
};
use durable_runtime::testing::Model;
use durable_runtime::{EventId, ExecutionId, InstanceId, LockToken, MessageId, Timestamp};

use super::bench::Case;
use super::steps::{Fence, Lie, Op};

pub(super) const INSTANCES: Range<usize> = 0..4;

/// Names that begin one another, or want to be something else.
pub(super) fn instance(number: usize) -> InstanceId {
    InstanceId::new(["a", "aa", "../a", "É'"][number]).unwrap()
}

fn id(number: usize) -> MessageId {
    MessageId::new(["1", "11", "2", "x/y", "☃"][number]).unwrap()
}

fn ids(numbers: &[usize]) -> Vec<MessageId> {
    numbers.iter().map(|number| id(*number)).collect()
}

const TOPICS: [&str; 3] = ["work", "other", "nobody's"];
const TAGS: [Option<&str>; 3] = [None, Some("gpu"), Some("")];

/// Bit by bit.
pub(super) fn topics(bits: usize) -> Arc<[String]> {
    (0..2).filter(|bit| bits >> bit & 1 == 1).map(|bit| TOPICS[bit].to_owned()).collect()
}

pub(super) fn tags(bits: usize) -> Arc<[String]> {
    (0..2).filter(|bit| bits >> bit & 1 == 1).filter_map(|bit| TAGS[bit + 1]).map(str::to_owned).collect()
}

/// What turns need: nothing, or what a label says too.
const NEEDS: [&str; 3] = ["", "order", "ind"];

/// Bit by bit.
pub(super) fn skills(bits: usize) -> Skills {
    let skills = Skills::new(label_name(0), (0..2).filter(|bit| bits >> bit & 1 == 1).map(|bit| NEEDS[bit + 1]));
    if bits & 4 == 0 { skills } else { skills.leaving_alone([instance(0), instance(1)], NEEDS[1]) }
}

pub(super) fn page(
    after: Option<usize>,
    limit: usize,
    label: Option<(usize, usize)>,
    filter: Option<(usize, usize)>,
) -> PageRequest {
    let labels = label.into_iter().map(|(name, value)| (label_name(name), label_value(value))).collect();
    let filters = filter.into_iter().map(|(kind, name)| label_filter(kind, label_name(name))).collect();
    PageRequest { labels, filters, after: after.map(instance), limit }
}

fn label_filter(kind: usize, name: String) -> LabelFilter {
    match kind {
        0 => LabelFilter::Equals { name, value: label_value(0) },
        1 => LabelFilter::OneOf { name, values: vec![label_value(1), label_value(0), label_value(1)] },
        2 => LabelFilter::Prefix { name, prefix: "i".to_owned() },
        3 => LabelFilter::Between { name, from: Some("ind".to_owned()), to: Some("order".to_owned()) },
        4 => LabelFilter::Exists { name },
        _ => LabelFilter::Missing { name },
    }
}

pub(super) fn key(number: usize) -> String {
    ["", "k", "kk", "É"][number].to_owned()
}

pub(super) fn values(prefix: usize, after: Option<usize>, limit: usize) -> KvPageRequest {
    KvPageRequest { prefix: key(prefix), after: after.map(key), limit }
}

const SESSIONS: [Option<&str>; 3] = [None, Some("s"), Some("s2")];

fn label_name(number: usize) -> String {
    ["kind", "k"][number].to_owned()
}

fn label_value(number: usize) -> String {
    ["order", "ind"][number].to_owned()
}

fn data(size: usize) -> Bytes {
    (0..size).map(|at| (at * 7 + size) as u8).collect::<Vec<_>>().into()
}

fn moment(later: Option<i64>, now: Timestamp) -> Option<Timestamp> {
    later.map(|millis| Timestamp::from_millis(now.as_millis().saturating_add_signed(millis)))
}

/// A lease of the model and of the store, with the same lie in both.
fn lease(case: &Case, fence: &Fence) -> Option<(LockToken, LockToken)> {
    let (Fence::Of(at) | Fence::Forged(at, _)) = fence else { return None };
    let (model, store) = case.leases.iter().rev().nth(*at).cloned()?;
    let Fence::Forged(_, lie) = fence else { return Some((model, store)) };
    let forge = |token: LockToken| match lie {
        Lie::Fence => LockToken { fence: token.fence + 1_000_000, ..token },
        Lie::Execution => LockToken { execution_id: token.execution_id.next(), ..token },
        Lie::Time => LockToken { granted_at_ms: token.granted_at_ms + 1, ..token },
        Lie::Instance => LockToken { instance: InstanceId::new("nobody").unwrap(), ..token },
    };
    Some((forge(model), forge(store)))
}

/// The transaction, as the model and as the store get it. What is right depends on what its earlier ops did.
pub(super) fn transaction(
    case: &Case,
    fence: &Fence,
    ops: &[Op],
    commit_id: CommitId,
    now: Timestamp,
) -> (Transaction, Transaction) {
    let (model_fence, store_fence) = lease(case, fence).unzip();
    let mut scratch = case.model.clone();
    let (mut model_ops, mut store_ops) = (Vec::new(), Vec::new());
    for (number, op) in ops.iter().enumerate() {
        let Some((for_model, for_store)) = resolve(case, &scratch, op, now) else { continue };
        let commit_id = CommitId(u128::MAX - number as u128);
        let alone = Transaction { fence: model_fence.clone(), commit_id, ops: vec![for_model.clone()] };
        // Whether it is refused shows in the whole.
        let _refused = scratch.commit(&alone, now);
        model_ops.push(for_model);
        store_ops.push(for_store);
    }
    let of = |fence, ops| Transaction { fence, commit_id, ops };
    (of(model_fence, model_ops), of(store_fence, store_ops))
}

fn resolve(case: &Case, scratch: &Model, op: &Op, now: Timestamp) -> Option<(TransactionOp, TransactionOp)> {
    let newest = |of: &InstanceId| scratch.instance(of).map_or(0, |record| record.execution_id.0);
    let op = match op {
        Op::AckWork(fence) => {
            let (model, store) = lease(case, fence)?;
            return Some((TransactionOp::AckWork { token: model }, TransactionOp::AckWork { token: store }));
        }
        Op::RetryWork { lease: fence, delay, size } => {
            let (model, store) = lease(case, fence)?;
            let (delay, data) = (Duration::from_millis(*delay), data(*size));
            let retry = |token| TransactionOp::RetryWork { token, delay, data: data.clone() };
            return Some((retry(model), retry(store)));
        }
        Op::Create(of, off) => {
            let instance = instance(*of);
            let execution_id = ExecutionId((newest(&instance) + 1).saturating_add_signed(*off));
            TransactionOp::CreateExecution { instance, execution_id }
        }
        Op::Append { instance: of, back, off, events } => {
            let instance = instance(*of);
            let execution_id = ExecutionId(newest(&instance).saturating_sub(*back).max(1));
            let kept = scratch.history(&instance, execution_id, EventId::FIRST, usize::MAX).len() as u64;
            let first = EventId((kept + 1).saturating_add_signed(*off));
            let events = events.iter().map(|size| data(*size)).collect();
            TransactionOp::AppendHistory { instance, execution_id, first, events }
        }
        Op::Send { instance: of, id: name, topic, later, size } => {
            let instance = instance(*of);
            let execution_id = ExecutionId(newest(&instance).max(1));
            let visible_at = moment(*later, now);
            let (id, topic, data) = (id(*name), NEEDS[*topic].to_owned(), data(*size));
            let items = vec![NewMessage { id, execution_id, topic, tag: None, session: None, visible_at, data }];
            TransactionOp::EnqueueWork { queue: Queue::Turns(instance), items }
        }
        Op::Schedule { instance: of, id: name, lane: (topic, tag, session), later, size } => {
            let instance = instance(*of);
            let message = NewMessage {
                id: id(*name),
                execution_id: ExecutionId(newest(&instance).max(1)),
                topic: TOPICS[*topic].to_owned(),
                tag: TAGS[*tag].map(str::to_owned),
                session: SESSIONS[*session].map(str::to_owned),
                visible_at: moment(*later, now),
                data: data(*size),
            };
            TransactionOp::EnqueueWork { queue: Queue::Activities(instance), items: vec![message] }
        }
        Op::ReleaseWork { lease: fence, delay, give_back } => {
            let (model, store) = lease(case, fence)?;
            let (delay, give_back_attempt) = (delay.map(Duration::from_millis), *give_back);
            let release = |token| TransactionOp::ReleaseWork { token, delay, give_back_attempt };
            return Some((release(model), release(store)));
        }
        Op::PutKv { instance: of, key: name, size } => {
            TransactionOp::PutKv { instance: instance(*of), entries: vec![(key(*name), size.map(data))] }
        }
        Op::DeleteExecution(of, back) => {
            let instance = instance(*of);
            let execution_id = ExecutionId(newest(&instance).saturating_sub(*back));
            TransactionOp::DeleteExecution { instance, execution_id }
        }
        Op::Ack { instance: of, ids: numbers } => {
            TransactionOp::AckMessages { instance: instance(*of), messages: ids(numbers) }
        }
        Op::CancelTurns(of, numbers) => {
            TransactionOp::CancelWork { queue: Queue::Turns(instance(*of)), items: ids(numbers) }
        }
        Op::CancelActivities(of, numbers) => {
            TransactionOp::CancelWork { queue: Queue::Activities(instance(*of)), items: ids(numbers) }
        }
        Op::Put { instance: of, key, size } => {
            let entries = vec![(["status", "stat", ""][*key].to_owned(), size.map(data))];
            TransactionOp::PutMetadata { instance: instance(*of), entries }
        }
        Op::Label { instance: of, name, value } => {
            let labels = vec![(label_name(*name), value.map(label_value))];
            TransactionOp::PutLabels { instance: instance(*of), labels }
        }
        Op::Delete(of) => TransactionOp::DeleteInstance { instance: instance(*of) },
        Op::Release(delay, give_back_attempt) => {
            let (delay, give_back_attempt) = (delay.map(Duration::from_millis), *give_back_attempt);
            TransactionOp::ReleaseLock { delay, give_back_attempt }
        }
    };
    Some((op.clone(), op))
}
