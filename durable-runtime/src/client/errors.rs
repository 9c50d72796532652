//! How what a client asks can fail.

use std::fmt;

use crate::history::{Failure, HistoryError};
use crate::ids::{IdError, InstanceId};
use crate::metadata::Status;
use crate::payload::{CodecError, PayloadValue};
use crate::providers::{CommitError, ProviderError};
use crate::shape::Infallible;

/// An instance was not started.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum StartError {
    /// The runtime has no such orchestration.
    #[error("no orchestration `{name}` of version {version} is registered; {known}")]
    Unknown {
        /// The name.
        name: String,
        /// The version.
        version: String,
        /// What there is.
        known: String,
    },
    /// The id is taken. The instance that has it was not touched.
    #[error("instance `{0}` exists already; choose another id, or say what to do with `.if_exists(..)`")]
    AlreadyExists(InstanceId),
    /// It has not ended, and only what has ended can be restarted.
    #[error("instance `{instance}` is {status}; only what has ended can be restarted, so terminate it first")]
    Open {
        /// The instance.
        instance: InstanceId,
        /// Where it stands.
        status: Status,
    },
    /// What is kept of the instance could not be read.
    #[error(transparent)]
    Read(#[from] ReadError),
    /// The id, the name, the version or a label cannot be one.
    #[error(transparent)]
    Id(#[from] IdError),
    /// A label has a name that the runtime keeps for itself.
    #[error("label `{0}` begins with `durable.`, which the runtime keeps for itself; choose another name")]
    ReservedLabel(String),
    /// There are too many labels.
    #[error("the instance has {count} labels; at most {most} are kept")]
    TooManyLabels {
        /// How many there are.
        count: usize,
        /// How many there may be.
        most: usize,
    },
    /// The arguments cannot be encoded, or do not decode.
    #[error(transparent)]
    Codec(#[from] CodecError),
    /// The arguments are too long.
    #[error("the arguments have {bytes} bytes; at most {most} are kept")]
    TooLong {
        /// How long they are.
        bytes: usize,
        /// How long they may be.
        most: usize,
    },
    /// The runtime is shut down.
    #[error("the runtime is shut down; nothing was started")]
    ShuttingDown,
    /// The store failed.
    #[error(transparent)]
    Commit(#[from] CommitError),
    /// The store failed.
    #[error(transparent)]
    Provider(#[from] ProviderError),
}

/// A message to an instance had no effect.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum MessageError {
    /// There is no such instance.
    #[error("instance `{0}` does not exist")]
    NotFound(InstanceId),
    /// It has ended.
    #[error("instance `{instance}` is {status}; nothing reaches it any more")]
    Closed {
        /// The instance.
        instance: InstanceId,
        /// How it ended.
        status: Status,
    },
    /// So many events wait to be taken by it that no more are kept.
    #[error("instance `{0}` has a full mailbox; try again when it has taken some of its events")]
    Full(InstanceId),
    /// The id, or the name of the event, cannot be one.
    #[error(transparent)]
    Id(#[from] IdError),
    /// The value cannot be encoded.
    #[error(transparent)]
    Codec(#[from] CodecError),
    /// The value is too long.
    #[error("the event has {bytes} bytes; at most {most} are kept")]
    TooLong {
        /// How long it is.
        bytes: usize,
        /// How long it may be.
        most: usize,
    },
    /// The runtime is shut down.
    #[error("the runtime is shut down; the message was not kept")]
    ShuttingDown,
    /// The store failed.
    #[error(transparent)]
    Commit(#[from] CommitError),
    /// The store failed.
    #[error(transparent)]
    Provider(#[from] ProviderError),
}

/// Something could not be read.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum ReadError {
    /// There is no such instance.
    #[error("instance `{0}` does not exist")]
    NotFound(InstanceId),
    /// What is kept of it was not written by a runtime, or by a newer one.
    #[error("what is kept of instance `{0}` cannot be read; it may come from a newer version of `durable-runtime`")]
    Unreadable(InstanceId),
    /// The id cannot be one.
    #[error(transparent)]
    Id(#[from] IdError),
    /// A value is of another type.
    #[error(transparent)]
    Codec(#[from] CodecError),
    /// An event cannot be read.
    #[error(transparent)]
    History(#[from] HistoryError),
    /// The store failed.
    #[error(transparent)]
    Provider(#[from] ProviderError),
}

/// Instances could not be listed.
pub type ListError = ReadError;

/// How an instance ends without its output, or why that cannot be told.
#[derive(Debug)]
#[non_exhaustive]
pub enum ResultError<E = Infallible> {
    /// It returned this error.
    Failed(E),
    /// It was cancelled.
    Cancelled {
        /// Why.
        reason: String,
    },
    /// It was ended at once from outside.
    Terminated {
        /// Why.
        reason: String,
    },
    /// It panicked.
    Panicked {
        /// The text of the panic.
        message: String,
        /// Where.
        place: Option<String>,
    },
    /// Arguments, output or error do not decode.
    Codec {
        /// Which, and why.
        message: String,
    },
    /// It took longer than it may: the `timeout` of its attribute. Its cleanups have run.
    OutOfTime {
        /// Which limit it was, with its length.
        message: String,
    },
    /// The engine ended it: its process died of it again and again, a limit, or a wait for something that never comes.
    Stopped {
        /// Why.
        message: String,
    },
    /// It did not end in the time given; it goes on.
    TimedOut,
    /// It could not be asked.
    Read(ReadError),
}

impl<E: PayloadValue> ResultError<E> {
    pub(super) fn from_failure(failure: Failure) -> Self {
        match failure {
            Failure::Failed { error } => match error.decode() {
                Ok(error) => Self::Failed(error),
                Err(misfit) => Self::Codec { message: format!("its error does not decode: {misfit}") },
            },
            Failure::Cancelled { reason } => Self::Cancelled { reason },
            Failure::Terminated { reason } => Self::Terminated { reason },
            Failure::Panicked { message, place } => {
                Self::Panicked { message, place: place.map(|place| place.to_string()) }
            }
            Failure::Codec { message } => Self::Codec { message },
            Failure::TimedOut { message } => Self::OutOfTime { message },
            Failure::Unavailable { message }
            | Failure::Poisoned { message }
            | Failure::NeverWakes { message }
            | Failure::LimitReached { message } => Self::Stopped { message },
        }
    }
}

impl<E> From<ReadError> for ResultError<E> {
    fn from(error: ReadError) -> Self {
        Self::Read(error)
    }
}

impl<E: fmt::Display> fmt::Display for ResultError<E> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Failed(error) => error.fmt(f),
            Self::Cancelled { reason } => write!(f, "the instance was cancelled: {reason}"),
            Self::Terminated { reason } => write!(f, "the instance was terminated: {reason}"),
            Self::Panicked { message, place: Some(place) } => {
                write!(f, "the orchestration panicked at {place}: {message}")
            }
            Self::Panicked { message, place: None } => write!(f, "the orchestration panicked: {message}"),
            Self::OutOfTime { message } => write!(f, "the instance ran out of time: {message}"),
            Self::Codec { message } | Self::Stopped { message } => f.write_str(message),
            Self::TimedOut => f.write_str("the instance did not end in the time given; it goes on"),
            Self::Read(error) => error.fmt(f),
        }
    }
}

impl<E: fmt::Display + fmt::Debug> std::error::Error for ResultError<E> {}
