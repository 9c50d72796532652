//! What a turn asks the store for, gathered while the core runs: one transaction in the end.

use std::collections::BTreeMap;
use std::time::Duration;

use bytes::Bytes;

use crate::clock::Timestamp;
use crate::history::{ClosePolicy, Event, EventKind, Failure, Parent, Started};
use crate::ids::{CommandId, EventId, ExecutionId, InstanceId, MessageId};
use crate::message::{
    ActivityTask, IfExists, Late, Message, Outcome, Start, command_message_id, deadline_message_id, late_message_id,
    sent_message_id,
};
use crate::metadata::{Entries, Labels};
use crate::observe::TraceContext;
use crate::payload::{CodecError, Payload};
use crate::providers::{NewMessage, Queue, TransactionOp};
use crate::replay::{Applied, Open};

/// What a turn asks the store for.
pub(super) struct Effects {
    instance: InstanceId,
    /// That of the lease of the turn.
    fence: u64,
    /// The trace that what is asked for belongs to.
    pub(super) trace: Option<TraceContext>,
    /// How many instances stand above it.
    depth: u32,
    created: Vec<TransactionOp>,
    histories: Vec<TransactionOp>,
    activities: BTreeMap<(ExecutionId, CommandId), NewMessage>,
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
    pub(super) fn new(instance: InstanceId, fence: u64) -> Self {
        Self {
            instance,
            fence,
            trace: None,
            depth: 0,
            created: Vec::new(),
            histories: Vec::new(),
            activities: BTreeMap::new(),
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

    fn take_command(&mut self, execution_id: ExecutionId, event: &Event) -> Result<(), CodecError> {
        match &event.kind {
            EventKind::ActivityScheduled { command, name, input, settings, .. } => {
                let task = ActivityTask {
                    execution_id,
                    command: *command,
                    name: name.clone(),
                    input: input.clone(),
                    settings: settings.clone(),
                    scheduled_at: event.at,
                    attempt: 1,
                    failed_attempts: Vec::new(),
                    last_heartbeat: None,
                    fence: self.fence,
                    progress_kept: false,
                    trace: self.trace.clone(),
                };
                let id = command_message_id(execution_id, *command);
                let (topic, tag, data) = (name.clone(), settings.tag.clone(), task.encode()?);
                let session = settings.session.clone();
                let item = NewMessage { id, execution_id, topic, tag, session, visible_at: None, data };
                self.activities.insert((execution_id, *command), item);
                for (late, limit) in
                    [(Late::Start, settings.schedule_to_start), (Late::Close, settings.schedule_to_close)]
                {
                    if let Some(limit) = limit {
                        self.watch_limit(execution_id, *command, event.at, late, limit)?;
                    }
                }
            }
            EventKind::Started(Started { timeout: Some(timeout), .. }) => {
                self.watch_deadline(execution_id, event.at, *timeout)?
            }
            EventKind::TimerSet { command, fire_at, .. } => {
                let id = command_message_id(execution_id, *command);
                let data = Message::TimerDue { execution_id, command: *command }.encode()?;
                let topic = String::new();
                let item =
                    NewMessage { id, execution_id, topic, tag: None, session: None, visible_at: Some(*fire_at), data };
                self.timers.insert((execution_id, *command), item);
            }
            EventKind::ChildStarted { command, name, version, instance, input, detached, .. } => {
                let parent = self.parent(execution_id, (!detached).then_some(*command));
                let start = Start {
                    name: name.clone(),
                    version: version.clone(),
                    input: input.clone(),
                    parent: Some(parent),
                    if_exists: IfExists::Fail,
                    labels: Vec::new(),
                    carried: Vec::new(),
                    event_keys: Vec::new(),
                    trace: self.trace.clone(),
                };
                let id = sent_message_id("start", &self.instance, execution_id, *command);
                self.sent.push(Message::Start(start).enqueue(instance, id)?);
            }
            _ => {}
        }
        Ok(())
    }

    /// A message for the moment when an activity is late.
    fn watch_limit(
        &mut self,
        execution_id: ExecutionId,
        command: CommandId,
        scheduled_at: Timestamp,
        late: Late,
        limit: Duration,
    ) -> Result<(), CodecError> {
        let message = late.message(limit);
        let data = Message::ActivityLate { execution_id, command, message }.encode()?;
        let id = late_message_id(execution_id, command, late);
        let visible_at = Some(scheduled_at.saturating_add(limit));
        let item = NewMessage { id, execution_id, topic: String::new(), tag: None, session: None, visible_at, data };
        self.late.insert((execution_id, command, late), item);
        Ok(())
    }

    /// A message for the moment when an execution has taken as long as it may.
    fn watch_deadline(
        &mut self,
        execution_id: ExecutionId,
        started_at: Timestamp,
        timeout: Duration,
    ) -> Result<(), CodecError> {
        let message = format!("it was not done within {} (timeout)", humantime::format_duration(timeout));
        let data = Message::DeadlineReached { execution_id, message }.encode()?;
        let (id, visible_at) = (deadline_message_id(execution_id), Some(started_at.saturating_add(timeout)));
        let item = NewMessage { id, execution_id, topic: String::new(), tag: None, session: None, visible_at, data };
        self.deadlines.insert(execution_id, item);
        Ok(())
    }

    /// An execution has ended, and so cannot be late.
    pub(super) fn cancel_deadline(&mut self, execution_id: ExecutionId) {
        if self.deadlines.remove(&execution_id).is_none() {
            self.cancelled_timers.push(deadline_message_id(execution_id));
        }
    }

    /// An activity is not waited for any more, and so cannot be late.
    fn cancel_late(&mut self, execution_id: ExecutionId, command: CommandId, open: &Open) {
        let Open::Activity { schedule_to_start, schedule_to_close } = *open else { return };
        for late in [(Late::Start, schedule_to_start), (Late::Close, schedule_to_close)] {
            if let (late, true) = late
                && self.late.remove(&(execution_id, command, late)).is_none()
            {
                self.cancelled_timers.push(late_message_id(execution_id, command, late));
            }
        }
    }

    /// An activity has had its time: nobody wants its result any more.
    pub(super) fn give_up(&mut self, execution_id: ExecutionId, command: CommandId) {
        self.cancelled_activities.push(command_message_id(execution_id, command));
    }

    /// Something that was asked for in the same turn is not asked for at all.
    fn cancel(&mut self, execution_id: ExecutionId, command: CommandId, open: Open) -> Result<(), CodecError> {
        let id = command_message_id(execution_id, command);
        match open {
            Open::Activity { .. } if self.activities.remove(&(execution_id, command)).is_none() => {
                self.cancelled_activities.push(id)
            }
            Open::Timer if self.timers.remove(&(execution_id, command)).is_none() => self.cancelled_timers.push(id),
            Open::Child { instance, on_close } => {
                let id = sent_message_id("cancel", &self.instance, execution_id, command);
                self.end_child(&instance, id, on_close, self.parent(execution_id, Some(command)))?;
            }
            Open::Dependent { instance, on_close } => {
                let id = sent_message_id("cancel", &self.instance, execution_id, command);
                self.end_child(&instance, id, on_close, self.parent(execution_id, None))?;
            }
            Open::Activity { .. } | Open::Timer | Open::Event { .. } => {}
        }
        Ok(())
    }

    fn parent(&self, execution_id: ExecutionId, command: Option<CommandId>) -> Parent {
        Parent { instance: self.instance.clone(), execution_id, command, depth: self.depth + 1 }
    }

    /// Tells a child that nobody waits for it. Its id may have been taken by a stranger, who must not feel it.
    fn end_child(
        &mut self,
        child: &InstanceId,
        id: MessageId,
        on_close: ClosePolicy,
        by: Parent,
    ) -> Result<(), CodecError> {
        let (reason, by) = (format!("its parent `{}` does not wait for it any more", self.instance), Some(by));
        let message = match on_close {
            ClosePolicy::Cancel => Message::Cancel { reason, by },
            ClosePolicy::Terminate => Message::Terminate { reason, by },
            ClosePolicy::Abandon => return Ok(()),
        };
        self.sent.push(message.enqueue(child, id)?);
        Ok(())
    }

    /// Tells a parent how its child ended.
    pub(super) fn tell_parent(&mut self, parent: &Parent, result: Outcome) -> Result<(), CodecError> {
        let Some(command) = parent.command else { return Ok(()) };
        let message = Message::ChildDone { execution_id: parent.execution_id, command, result };
        let id = sent_message_id("done", &parent.instance, parent.execution_id, command);
        self.sent.push(message.enqueue(&parent.instance, id)?);
        Ok(())
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
