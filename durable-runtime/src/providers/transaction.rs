//! What is written: one value, kept whole or not at all.

use std::fmt;
use std::time::Duration;

use bytes::Bytes;

use crate::clock::Timestamp;
use crate::ids::{EventId, ExecutionId, InstanceId, LockToken, MessageId};

/// Names a transaction, so that handing it over again after a lost answer does not keep it twice.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct CommitId(pub u128);

impl fmt::Display for CommitId {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{:032x}", self.0)
    }
}

/// All that one step writes.
#[derive(Debug, Clone)]
pub struct Transaction {
    /// The lease under which an instance is changed: if it is not the newest of its instance and still out, nothing
    /// is written. `None` for what needs no lease: a start, a message from outside, a final disposition.
    pub fence: Option<LockToken>,
    /// Its name.
    pub commit_id: CommitId,
    /// What it does, in this order.
    pub ops: Vec<TransactionOp>,
}

impl Transaction {
    /// Whether less is kept after it than before.
    #[cfg(feature = "sqlite")]
    pub(super) fn only_takes_away(&self) -> bool {
        use TransactionOp::{
            AckMessages, AckWork, CancelWork, DeleteExecution, DeleteInstance, PutKv, PutLabels, PutMetadata,
            ReleaseLock,
        };
        self.ops.iter().all(|op| match op {
            AckMessages { .. }
            | AckWork { .. }
            | CancelWork { .. }
            | DeleteExecution { .. }
            | DeleteInstance { .. }
            | ReleaseLock { .. } => true,
            PutMetadata { entries, .. } => entries.iter().all(|(_, value)| value.is_none()),
            PutLabels { labels, .. } => labels.iter().all(|(_, value)| value.is_none()),
            PutKv { entries, .. } => entries.iter().all(|(_, value)| value.is_none()),
            _ => false,
        })
    }
}

/// A queue: each instance has one for the messages that bring it turns, and one for the activities it waits for.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum Queue {
    /// The messages for an instance. They are handed over together, by [`Provider::fetch_turns`](super::Provider::fetch_turns).
    Turns(InstanceId),
    /// The activities an instance has asked for. They are handed over one by one, to anybody, by
    /// [`Provider::fetch_activities`](super::Provider::fetch_activities).
    Activities(InstanceId),
}

impl Queue {
    /// The instance whose queue it is.
    pub fn instance(&self) -> &InstanceId {
        match self {
            Self::Turns(instance) | Self::Activities(instance) => instance,
        }
    }
}

/// A message to be put into a queue.
#[derive(Debug, Clone)]
pub struct NewMessage {
    /// Its name in this queue. One that is there already under this name stays as it is, and this one is dropped.
    pub id: MessageId,
    /// The execution it belongs to; part of the lock token under which it is handed out.
    pub execution_id: ExecutionId,
    /// What kind of worker it needs (for activities: the activity's name); empty in a queue of turns.
    pub topic: String,
    /// Which workers may take it: those that ask for this tag, or, without one, those that ask for none.
    pub tag: Option<String>,
    /// The session it belongs to (activities only): it is handed only to the owner that holds the session. The first
    /// that takes a message of a session holds it, as long as [`ActivityRequest::session_ttl`](super::ActivityRequest)
    /// says.
    pub session: Option<String>,
    /// When it becomes visible; `None` for at once.
    pub visible_at: Option<Timestamp>,
    /// What it says. Opaque.
    pub data: Bytes,
}

/// One thing a transaction does.
#[derive(Debug, Clone)]
#[non_exhaustive]
pub enum TransactionOp {
    /// Opens the next execution of an instance, with an empty history; the first creates the instance.
    ///
    /// Fails with [`CommitError::ExecutionExists`](super::CommitError::ExecutionExists) unless `execution_id` is one
    /// more than the newest one kept (1 if there is none).
    CreateExecution {
        /// The instance.
        instance: InstanceId,
        /// The new execution.
        execution_id: ExecutionId,
    },
    /// Adds events to the end of a history.
    ///
    /// Fails with [`CommitError::HistoryConflict`](super::CommitError::HistoryConflict) unless `first` is one more
    /// than the number of events kept.
    AppendHistory {
        /// The instance.
        instance: InstanceId,
        /// The execution.
        execution_id: ExecutionId,
        /// The id of the first event of `events`; the others follow without gaps.
        first: EventId,
        /// The events. Opaque.
        events: Vec<Bytes>,
    },
    /// Puts messages into a queue. The instance need not exist: they are kept for it.
    EnqueueWork {
        /// The queue.
        queue: Queue,
        /// The messages, in order.
        items: Vec<NewMessage>,
    },
    /// Takes messages out of the queue of turns of the instance that `fence` leases; one that is not there any more
    /// is passed over.
    AckMessages {
        /// The instance.
        instance: InstanceId,
        /// The messages.
        messages: Vec<MessageId>,
    },
    /// Takes a leased activity out of its queue.
    ///
    /// Fails with [`CommitError::WorkGone`](super::CommitError::WorkGone) unless the lease is still out.
    AckWork {
        /// The lease under which it was handed out.
        token: LockToken,
    },
    /// Puts a leased activity back, changed, to be handed out again later. Fails as [`TransactionOp::AckWork`].
    RetryWork {
        /// The lease under which it was handed out.
        token: LockToken,
        /// It is not handed out before this much time has passed, by the clock of the store.
        delay: Duration,
        /// What it says now.
        data: Bytes,
    },
    /// Puts a leased activity back as it was, for anybody. Fails as [`TransactionOp::AckWork`].
    ReleaseWork {
        /// The lease under which it was handed out.
        token: LockToken,
        /// It is not handed out before this much time has passed; without, it keeps its place in the queue.
        delay: Option<Duration>,
        /// Whether this time does not count as an attempt.
        give_back_attempt: bool,
    },
    /// Takes messages out of a queue, leased or not; one that is not there is passed over.
    CancelWork {
        /// The queue.
        queue: Queue,
        /// The messages.
        items: Vec<MessageId>,
    },
    /// Sets values of an instance by key; `None` takes the key out. Raises the record's revision.
    PutMetadata {
        /// The instance; it must exist, or be created by this transaction.
        instance: InstanceId,
        /// Keys and values. Opaque.
        entries: Vec<(String, Option<Bytes>)>,
    },
    /// Sets labels of an instance, by which [`Provider::instances`](super::Provider::instances) filters; `None`
    /// takes the label away. Raises the record's revision.
    PutLabels {
        /// The instance; it must exist, or be created by this transaction.
        instance: InstanceId,
        /// Names and values.
        labels: Vec<(String, Option<String>)>,
    },
    /// Sets values of an instance's store of keys and values, which outlives its executions; `None` takes the key out.
    /// Raises the record's revision.
    PutKv {
        /// The instance; it must exist, or be created by this transaction.
        instance: InstanceId,
        /// Keys and values. Opaque.
        entries: Vec<(String, Option<Bytes>)>,
    },
    /// Takes away the history of an older execution; one that is not there is passed over.
    ///
    /// Fails with [`ErrorKind::Invalid`](super::ErrorKind::Invalid) for the newest execution, and for one to come.
    DeleteExecution {
        /// The instance.
        instance: InstanceId,
        /// The execution.
        execution_id: ExecutionId,
    },
    /// Takes away everything kept of an instance: record, histories, keys and values, messages, activities, leases.
    DeleteInstance {
        /// The instance; one that does not exist is passed over.
        instance: InstanceId,
    },
    /// Ends the lease of `fence` with this transaction. Messages that stay in the queue of turns bring the next one.
    ReleaseLock {
        /// Those messages are not handed out before this much time has passed.
        delay: Option<Duration>,
        /// Whether this time does not count as an attempt for the messages that stay.
        give_back_attempt: bool,
    },
}

/// What was kept.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
#[non_exhaustive]
pub struct BatchResult {
    /// The transaction.
    pub commit_id: CommitId,
}

impl BatchResult {
    /// The answer to a transaction that was kept.
    pub const fn kept(commit_id: CommitId) -> Self {
        Self { commit_id }
    }
}
