//! What instances and workers are told: the stored form of every message. A provider sees bytes.

use std::time::Duration;

use bytes::Bytes;
use serde::{Deserialize, Serialize};
use uuid::Uuid;

use crate::clock::Timestamp;
use crate::history::{ActivitySettings, Carried, EventKind, FailedAttempt, Failure, HISTORY_FORMAT, Parent};
use crate::ids::{CommandId, ExecutionId, InstanceId, MessageId};
use crate::metadata;
use crate::observe::TraceContext;
use crate::payload::{CodecError, Payload};
use crate::providers::{NewMessage, Queue, TransactionOp};

/// What to do when a start meets an instance that exists.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
#[non_exhaustive]
pub enum IfExists {
    /// Refuse; the instance is not touched.
    #[default]
    Fail,
    /// Give a handle to the one that is there, running or closed.
    UseExisting,
    /// Start its next execution if it is closed; refuse if it runs.
    RestartIfClosed,
    /// Start its next execution; terminate the one that runs.
    TerminateAndRestart,
}

/// A message for an instance.
#[derive(Debug, Clone, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub(crate) enum Message {
    Start(Start),
    ActivityDone {
        execution_id: ExecutionId,
        command: CommandId,
        attempts: u32,
        #[serde(default, skip_serializing_if = "Vec::is_empty")]
        failed_attempts: Vec<FailedAttempt>,
        #[serde(default)]
        redeliveries: u32,
        /// Whether what it said last is kept beside its instance.
        #[serde(default, skip_serializing_if = "std::ops::Not::not")]
        progress_kept: bool,
        result: Outcome,
    },
    /// A limit of an activity is over.
    ActivityLate {
        execution_id: ExecutionId,
        command: CommandId,
        message: String,
    },
    TimerDue {
        execution_id: ExecutionId,
        command: CommandId,
    },
    /// An execution has taken as long as it may.
    DeadlineReached {
        execution_id: ExecutionId,
        message: String,
    },
    ChildDone {
        execution_id: ExecutionId,
        command: CommandId,
        result: Outcome,
    },
    Raised {
        name: String,
        value: Payload,
        /// Another event with this key is the same one.
        #[serde(default, skip_serializing_if = "Option::is_none")]
        key: Option<String>,
    },
    Cancel {
        reason: String,
        /// Whose child it must be, if a parent asks.
        #[serde(default, skip_serializing_if = "Option::is_none")]
        by: Option<Parent>,
    },
    Suspend,
    Resume,
    Terminate {
        reason: String,
        /// Whose child it must be, if a parent asks.
        #[serde(default, skip_serializing_if = "Option::is_none")]
        by: Option<Parent>,
    },
}

/// A start.
#[derive(Debug, Clone, Serialize, Deserialize)]
pub(crate) struct Start {
    pub(crate) name: String,
    pub(crate) version: String,
    pub(crate) input: Payload,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub(crate) parent: Option<Parent>,
    #[serde(default)]
    pub(crate) if_exists: IfExists,
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub(crate) labels: Vec<(String, String)>,
    /// What the execution before this one left.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub(crate) carried: Vec<Carried>,
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub(crate) event_keys: Vec<String>,
    /// The trace it belongs to.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub(crate) trace: Option<TraceContext>,
}

/// How a piece of work ended.
#[derive(Debug, Clone, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub(crate) enum Outcome {
    Output(Payload),
    Failure(Failure),
}

impl From<Result<Payload, Failure>> for Outcome {
    fn from(result: Result<Payload, Failure>) -> Self {
        match result {
            Ok(output) => Self::Output(output),
            Err(failure) => Self::Failure(failure),
        }
    }
}

impl Message {
    pub(crate) fn encode(&self) -> Result<Bytes, CodecError> {
        serde_json::to_vec(self).map(Bytes::from).map_err(|error| CodecError::new(error.to_string()))
    }

    pub(crate) fn decode(data: &[u8]) -> Result<Self, CodecError> {
        serde_json::from_slice(data).map_err(|error| CodecError::new(error.to_string()))
    }

    /// The event that this message is in the history of the execution it is for; `None` if it is for another one.
    pub(crate) fn into_event(self, current: ExecutionId) -> Option<EventKind> {
        if !self.is_for(current) {
            return None;
        }
        Some(match self {
            Self::Start(_) => return None,
            Self::Suspend => EventKind::Suspended,
            Self::Resume => EventKind::Resumed,
            Self::ActivityDone { command, attempts, failed_attempts, redeliveries, result, .. } => match result {
                Outcome::Output(output) => {
                    EventKind::ActivityCompleted { command, output, attempts, failed_attempts, redeliveries }
                }
                Outcome::Failure(failure) => {
                    EventKind::ActivityFailed { command, failure, attempts, failed_attempts, redeliveries }
                }
            },
            Self::ActivityLate { command, message, .. } => EventKind::ActivityFailed {
                command,
                failure: Failure::TimedOut { message },
                attempts: 0,
                failed_attempts: Vec::new(),
                redeliveries: 0,
            },
            Self::TimerDue { command, .. } => EventKind::TimerFired { command },
            Self::ChildDone { command, result, .. } => match result {
                Outcome::Output(output) => EventKind::ChildCompleted { command, output },
                Outcome::Failure(failure) => EventKind::ChildFailed { command, failure },
            },
            Self::Raised { name, value, key } => EventKind::EventRaised { name, value, key },
            Self::DeadlineReached { message, .. } => EventKind::DeadlineReached { message },
            Self::Cancel { reason, .. } => EventKind::CancelRequested { reason },
            Self::Terminate { reason, .. } => EventKind::Terminated { reason },
        })
    }

    /// The parent that asks, if one does.
    pub(crate) fn asked_by(&self) -> Option<&Parent> {
        match self {
            Self::Cancel { by, .. } | Self::Terminate { by, .. } => by.as_ref(),
            _ => None,
        }
    }

    /// Its name in the queue of an instance. An event with a key stands there once.
    pub(crate) fn id(&self) -> MessageId {
        match self {
            Self::Raised { key: Some(key), .. } => {
                known_id(Uuid::new_v5(&Uuid::NAMESPACE_OID, format!("raised\n{key}").as_bytes()).to_string())
            }
            _ => fresh_message_id(),
        }
    }

    /// An answer is for the execution that asked; what comes from outside is for any.
    fn is_for(&self, current: ExecutionId) -> bool {
        match self {
            Self::ActivityDone { execution_id, .. }
            | Self::ActivityLate { execution_id, .. }
            | Self::TimerDue { execution_id, .. }
            | Self::DeadlineReached { execution_id, .. }
            | Self::ChildDone { execution_id, .. } => *execution_id == current,
            _ => true,
        }
    }

    /// What a runtime must be able to do for this message, if it is something else than running the instance.
    fn topic(&self) -> String {
        match self {
            Self::Start(start) => metadata::needs(HISTORY_FORMAT, &start.name, &start.version),
            Self::Terminate { .. } | Self::Suspend | Self::Resume => metadata::ANYBODY.to_owned(),
            _ => String::new(),
        }
    }

    /// The operation that keeps it for an instance until its next turn.
    pub(crate) fn enqueue(&self, instance: &InstanceId, id: MessageId) -> Result<TransactionOp, CodecError> {
        self.enqueue_at(instance, id, None)
    }

    /// As [`Message::enqueue`], for any runtime, whatever it can run.
    pub(crate) fn enqueue_for_anybody(
        &self,
        instance: &InstanceId,
        id: MessageId,
    ) -> Result<TransactionOp, CodecError> {
        self.enqueue_with(String::new(), instance, id, None)
    }

    /// As [`Message::enqueue`], but it is not handed over before this moment.
    pub(crate) fn enqueue_at(
        &self,
        instance: &InstanceId,
        id: MessageId,
        visible_at: Option<Timestamp>,
    ) -> Result<TransactionOp, CodecError> {
        self.enqueue_with(self.topic(), instance, id, visible_at)
    }

    fn enqueue_with(
        &self,
        topic: String,
        instance: &InstanceId,
        id: MessageId,
        visible_at: Option<Timestamp>,
    ) -> Result<TransactionOp, CodecError> {
        let item = NewMessage {
            id,
            execution_id: ExecutionId::FIRST,
            topic,
            tag: None,
            session: None,
            visible_at,
            data: self.encode()?,
        };
        Ok(TransactionOp::EnqueueWork { queue: Queue::Turns(instance.clone()), items: vec![item] })
    }
}

/// What a worker is told.
#[derive(Debug, Clone, Serialize, Deserialize)]
pub(crate) struct ActivityTask {
    pub(crate) execution_id: ExecutionId,
    pub(crate) command: CommandId,
    pub(crate) name: String,
    pub(crate) input: Payload,
    #[serde(default)]
    pub(crate) settings: ActivitySettings,
    /// When the call was made.
    pub(crate) scheduled_at: Timestamp,
    pub(crate) attempt: u32,
    /// The attempts before this one.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub(crate) failed_attempts: Vec<FailedAttempt>,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub(crate) last_heartbeat: Option<Payload>,
    /// That of the lease under which this was written.
    #[serde(default)]
    pub(crate) fence: u64,
    /// Whether an attempt before this one kept what it said beside its instance.
    #[serde(default, skip_serializing_if = "std::ops::Not::not")]
    pub(crate) progress_kept: bool,
    /// The trace it belongs to.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub(crate) trace: Option<TraceContext>,
}

impl ActivityTask {
    pub(crate) fn encode(&self) -> Result<Bytes, CodecError> {
        serde_json::to_vec(self).map(Bytes::from).map_err(|error| CodecError::new(error.to_string()))
    }

    pub(crate) fn decode(data: &[u8]) -> Result<Self, CodecError> {
        serde_json::from_slice(data).map_err(|error| CodecError::new(error.to_string()))
    }
}

/// The name of what a command puts into a queue of its own instance: the command finds it again to cancel it.
pub(crate) fn command_message_id(execution_id: ExecutionId, command: CommandId) -> MessageId {
    known_id(format!("{execution_id}.{command}"))
}

/// The name of the start that an execution waits for.
pub(crate) fn start_message_id(execution_id: ExecutionId) -> MessageId {
    known_id(format!("{execution_id}.start"))
}

/// The name of what says that an execution has taken as long as it may.
pub(crate) fn deadline_message_id(execution_id: ExecutionId) -> MessageId {
    known_id(format!("{execution_id}.deadline"))
}

/// Which limit of an activity may be over.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub(crate) enum Late {
    /// That of its wait for the first attempt.
    Start,
    /// That of all its attempts and waits.
    Close,
}

impl Late {
    /// What the caller is told.
    pub(crate) fn message(self, limit: Duration) -> String {
        let limit = humantime::format_duration(limit);
        match self {
            Self::Start => format!("no worker began it within {limit} (schedule_to_start)"),
            Self::Close => format!("it was not done within {limit} (schedule_to_close)"),
        }
    }
}

/// The name of what says that an activity is late.
pub(crate) fn late_message_id(execution_id: ExecutionId, command: CommandId, late: Late) -> MessageId {
    let what = match late {
        Late::Start => "start",
        Late::Close => "close",
    };
    known_id(format!("{execution_id}.{command}.{what}"))
}

/// The name of what a command puts into the queue of another instance: the same in each attempt to deliver it, and
/// another for each sender.
pub(crate) fn sent_message_id(
    what: &str,
    from: &InstanceId,
    execution_id: ExecutionId,
    command: CommandId,
) -> MessageId {
    let text = format!("{what}\n{from}\n{execution_id}\n{command}");
    known_id(Uuid::new_v5(&Uuid::NAMESPACE_OID, text.as_bytes()).to_string())
}

/// A name that nothing else has.
pub(crate) fn fresh_message_id() -> MessageId {
    known_id(Uuid::new_v4().to_string())
}

fn known_id(text: String) -> MessageId {
    #[expect(clippy::expect_used, reason = "numbers, dots and guids are short and printable")]
    MessageId::new(text).expect("a made id is an id")
}
