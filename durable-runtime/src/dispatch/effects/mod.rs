//! What a turn asks the store for, gathered while the core runs: one transaction in the end.

mod commands;
mod local;

use std::collections::BTreeMap;
use std::sync::Arc;

use bytes::Bytes;

use crate::history::{Event, EventKind, Failure};
use crate::ids::{CommandId, EventId, ExecutionId, InstanceId, MessageId};
use crate::message::{ActivityTask, Late, Outcome};
use crate::metadata::{Entries, Labels};
use crate::observe::TraceContext;
use crate::payload::{CodecError, Payload};
use crate::providers::{NewMessage, Queue, TransactionOp};
use crate::registry::Registry;
use crate::replay::Applied;

/// What a turn asks the store for.
pub(super) struct Effects {
    instance: InstanceId,
    /// That of the lease of the turn.
    fence: u64,
    /// Who says which children can be run at all, where nobody else can run them.
    alone: Option<Arc<Registry>>,
    /// The trace that what is asked for belongs to.
    pub(super) trace: Option<TraceContext>,
    /// How many instances stand above it.
    depth: u32,
    created: Vec<TransactionOp>,
    histories: Vec<TransactionOp>,
    activities: BTreeMap<(ExecutionId, CommandId), NewMessage>,
    /// Those of them that may run in this turn and have not been taken yet.
    local: BTreeMap<(ExecutionId, CommandId), ActivityTask>,
    timers: BTreeMap<(ExecutionId, CommandId), NewMessage>,
    late: BTreeMap<(ExecutionId, CommandId, Late), NewMessage>,
    deadlines: BTreeMap<ExecutionId, NewMessage>,
    sent: Vec<TransactionOp>,
    cancelled_activities: Vec<MessageId>,
    cancelled_timers: Vec<MessageId>,
    metadata: Entries,
    labels: Vec<(String, Option<String>)>,
    kv: BTreeMap<String, Option<Bytes>>,
    others: Vec<TransactionOp>,
}

impl Effects {
    pub(super) fn new(instance: InstanceId, fence: u64, alone: Option<Arc<Registry>>) -> Self {
        Self {
            instance,
            fence,
            alone,
            trace: None,
            depth: 0,
            created: Vec::new(),
            histories: Vec::new(),
            activities: BTreeMap::new(),
            local: BTreeMap::new(),
            timers: BTreeMap::new(),
            late: BTreeMap::new(),
            deadlines: BTreeMap::new(),
            sent: Vec::new(),
            cancelled_activities: Vec::new(),
            cancelled_timers: Vec::new(),
            metadata: Vec::new(),
            labels: Vec::new(),
            kv: BTreeMap::new(),
            others: Vec::new(),
        }
    }

    pub(super) fn create(&mut self, execution_id: ExecutionId) {
        self.created.push(TransactionOp::CreateExecution { instance: self.instance.clone(), execution_id });
    }

    pub(super) fn put_metadata(&mut self, entries: Entries) {
        for (key, value) in entries {
            self.metadata.retain(|(known, _)| *known != key);
            self.metadata.push((key, value));
        }
    }

    pub(super) fn put_labels(&mut self, labels: Vec<(String, String)>) {
        self.set_labels(labels.into_iter().map(|(name, value)| (name, Some(value))).collect());
    }

    /// The last word on each key stands.
    pub(super) fn put_kv(&mut self, key: &str, value: Option<&Payload>) {
        self.kv.insert(key.to_owned(), value.map(|value| Bytes::copy_from_slice(value.as_str().as_bytes())));
    }

    /// The last word on each label stands.
    pub(super) fn set_labels(&mut self, labels: Labels) {
        self.labels.retain(|(known, _)| labels.iter().all(|(name, _)| name != known));
        self.labels.extend(labels);
    }

    pub(super) fn push(&mut self, op: TransactionOp) {
        self.others.push(op);
    }

    /// The activities that were wanted before this turn and are not wanted after it.
    pub(super) fn cancelled_activities(&self) -> &[MessageId] {
        &self.cancelled_activities
    }

    /// Takes what an event led to: its history, and what the commands in it ask for.
    pub(super) fn take(&mut self, execution_id: ExecutionId, depth: u32, applied: Applied) -> Result<(), CodecError> {
        self.depth = depth;
        for event in &applied.events {
            self.take_command(execution_id, event)?;
        }
        for (command, open) in applied.returned {
            self.cancel_late(execution_id, command, &open);
        }
        for (command, open) in applied.cancelled {
            self.cancel_late(execution_id, command, &open);
            self.cancel(execution_id, command, open)?;
        }
        self.append(execution_id, &applied.events)
    }

    fn append(&mut self, execution_id: ExecutionId, events: &[Event]) -> Result<(), CodecError> {
        let mut encoded = Vec::with_capacity(events.len());
        for event in events {
            encoded.push(crate::history::write(event).map_err(|error| CodecError::new(error.to_string()))?);
        }
        if let Some(TransactionOp::AppendHistory { execution_id: last, events, .. }) = self.histories.last_mut()
            && *last == execution_id
        {
            events.append(&mut encoded);
            return Ok(());
        }
        let first = events.first().map_or(EventId::FIRST, |event| event.id);
        let instance = self.instance.clone();
        self.histories.push(TransactionOp::AppendHistory { instance, execution_id, first, events: encoded });
        Ok(())
    }

    /// The operations, in the order in which a store can take them.
    pub(super) fn into_ops(self) -> Vec<TransactionOp> {
        let instance = self.instance;
        let (turns, activities) = (Queue::Turns(instance.clone()), Queue::Activities(instance.clone()));
        let mut ops = self.created;
        ops.extend(self.histories);
        push_enqueue(&mut ops, &activities, self.activities.into_values().collect());
        let timers = self.timers.into_values().chain(self.late.into_values()).chain(self.deadlines.into_values());
        push_enqueue(&mut ops, &turns, timers.collect());
        push_cancel(&mut ops, &activities, self.cancelled_activities);
        push_cancel(&mut ops, &turns, self.cancelled_timers);
        ops.extend(self.sent);
        if !self.metadata.is_empty() {
            ops.push(TransactionOp::PutMetadata { instance: instance.clone(), entries: self.metadata });
        }
        if !self.kv.is_empty() {
            ops.push(TransactionOp::PutKv { instance: instance.clone(), entries: self.kv.into_iter().collect() });
        }
        if !self.labels.is_empty() {
            ops.push(TransactionOp::PutLabels { instance, labels: self.labels });
        }
        ops.extend(self.others);
        ops
    }
}

fn push_enqueue(ops: &mut Vec<TransactionOp>, queue: &Queue, items: Vec<NewMessage>) {
    if !items.is_empty() {
        ops.push(TransactionOp::EnqueueWork { queue: queue.clone(), items });
    }
}

fn push_cancel(ops: &mut Vec<TransactionOp>, queue: &Queue, items: Vec<MessageId>) {
    if !items.is_empty() {
        ops.push(TransactionOp::CancelWork { queue: queue.clone(), items });
    }
}

/// How an end is told to a parent; `None` if it is no end, or the instance goes on as its next execution.
pub(super) fn outcome_of(end: &EventKind) -> Option<Outcome> {
    Some(match end {
        EventKind::Completed { output } => Outcome::Output(output.clone()),
        EventKind::Failed { failure } => Outcome::Failure(failure.clone()),
        EventKind::Cancelled { reason } => Outcome::Failure(Failure::Cancelled { reason: reason.clone() }),
        EventKind::Poisoned { message } => Outcome::Failure(Failure::Poisoned { message: message.clone() }),
        EventKind::Terminated { reason } => Outcome::Failure(Failure::Terminated { reason: reason.clone() }),
        _ => return None,
    })
}
