//! What each command asks the store for, and what is taken back when nobody waits for it any more.

use std::time::Duration;

use super::Effects;
use crate::clock::Timestamp;
use crate::history::{ClosePolicy, Event, EventKind, Parent, Started};
use crate::ids::{CommandId, ExecutionId, InstanceId, MessageId};
use crate::message::{
    ActivityTask, IfExists, Late, Message, Outcome, Start, command_message_id, deadline_message_id, late_message_id,
    sent_message_id,
};
use crate::payload::CodecError;
use crate::providers::NewMessage;
use crate::replay::Open;

impl Effects {
    pub(super) fn take_command(&mut self, execution_id: ExecutionId, event: &Event) -> Result<(), CodecError> {
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
                if settings.local {
                    self.local.insert((execution_id, *command), task);
                }
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
                let unknown = self.alone.as_ref().is_some_and(|here| here.orchestration(name, version).is_none());
                let message = Message::Start(start);
                self.sent.push(match unknown && !detached {
                    // Nobody can run it: whoever takes it tells the parent so.
                    true => message.enqueue_for_anybody(instance, id)?,
                    false => message.enqueue(instance, id)?,
                });
            }
            _ => {}
        }
        Ok(())
    }

    /// A message for the moment when an activity is late.
    pub(super) fn watch_limit(
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
    pub(super) fn watch_deadline(
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
    pub(in crate::dispatch) fn cancel_deadline(&mut self, execution_id: ExecutionId) {
        if self.deadlines.remove(&execution_id).is_none() {
            self.cancelled_timers.push(deadline_message_id(execution_id));
        }
    }

    /// An activity is not waited for any more, and so cannot be late.
    pub(super) fn cancel_late(&mut self, execution_id: ExecutionId, command: CommandId, open: &Open) {
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
    pub(in crate::dispatch) fn give_up(&mut self, execution_id: ExecutionId, command: CommandId) {
        self.cancelled_activities.push(command_message_id(execution_id, command));
    }

    /// Something that was asked for in the same turn is not asked for at all.
    pub(super) fn cancel(
        &mut self,
        execution_id: ExecutionId,
        command: CommandId,
        open: Open,
    ) -> Result<(), CodecError> {
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

    pub(super) fn parent(&self, execution_id: ExecutionId, command: Option<CommandId>) -> Parent {
        Parent { instance: self.instance.clone(), execution_id, command, depth: self.depth + 1 }
    }

    /// Tells a child that nobody waits for it. Its id may have been taken by a stranger, who must not feel it.
    pub(super) fn end_child(
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
    pub(in crate::dispatch) fn tell_parent(&mut self, parent: &Parent, result: Outcome) -> Result<(), CodecError> {
        let Some(command) = parent.command else { return Ok(()) };
        let message = Message::ChildDone { execution_id: parent.execution_id, command, result };
        let id = sent_message_id("done", &parent.instance, parent.execution_id, command);
        self.sent.push(message.enqueue(&parent.instance, id)?);
        Ok(())
    }
}
