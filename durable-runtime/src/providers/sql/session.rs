//! What a dialect has to do: run statements, and say what went wrong.

use std::error::Error;

use bytes::Bytes;

use crate::clock::Timestamp;
use crate::ids::{EventId, ExecutionId, InstanceId, MessageId};
use crate::providers::{ErrorKind, ProviderError};

/// One connection. Statements are constants with the parameters `?1`, `?2` …
pub(super) trait Session: Send {
    /// Runs a statement that answers with nothing but how many rows it changed.
    fn execute(&mut self, sql: &'static str, params: &[Param<'_>]) -> Result<usize, SqlError>;

    /// Runs a statement and shows each row of the answer.
    fn query(
        &mut self,
        sql: &'static str,
        params: &[Param<'_>],
        each: &mut dyn FnMut(&dyn Row) -> Result<(), SqlError>,
    ) -> Result<(), SqlError>;

    /// Begins a transaction that only reads: all its statements see one state.
    fn begin_read(&mut self) -> Result<(), SqlError>;

    /// Begins a transaction that writes; waits for others that do. If `sync`, the disk has it when it is committed.
    fn begin_write(&mut self, sync: bool) -> Result<(), SqlError>;

    /// Ends the transaction, and keeps what it wrote.
    fn commit(&mut self) -> Result<(), SqlError>;

    /// Ends the transaction without a trace. Fine without one.
    fn roll_back(&mut self);

    /// Whether a transaction is open: an error may have ended it.
    fn is_open(&self) -> bool;

    /// Another number whenever somebody else has written.
    fn version(&mut self) -> Result<u64, SqlError>;

    /// Whether there is so little space that only what takes away can be kept, after all was done about that that can be.
    fn is_full(&mut self) -> Result<bool, SqlError>;

    /// Nothing is asked for at the moment: time to tidy up, a little. Answers whether there is more to do.
    fn tidy(&mut self) -> Result<bool, SqlError>;
}

/// A value for a statement.
#[derive(Debug, Clone, Copy)]
pub(super) enum Param<'a> {
    Null,
    Int(i64),
    Text(&'a str),
    Blob(&'a [u8]),
}

impl From<u64> for Param<'_> {
    /// Nothing that is kept comes near to `i64::MAX`; what asks for more means "all".
    fn from(number: u64) -> Self {
        Self::Int(i64::try_from(number).unwrap_or(i64::MAX))
    }
}

impl From<usize> for Param<'_> {
    fn from(number: usize) -> Self {
        Self::Int(i64::try_from(number).unwrap_or(i64::MAX))
    }
}

impl From<Timestamp> for Param<'_> {
    fn from(moment: Timestamp) -> Self {
        moment.as_millis().into()
    }
}

impl From<ExecutionId> for Param<'_> {
    fn from(execution: ExecutionId) -> Self {
        execution.0.into()
    }
}

impl From<EventId> for Param<'_> {
    fn from(event: EventId) -> Self {
        event.0.into()
    }
}

impl<'a> From<&'a str> for Param<'a> {
    fn from(text: &'a str) -> Self {
        Self::Text(text)
    }
}

impl<'a> From<Option<&'a str>> for Param<'a> {
    fn from(text: Option<&'a str>) -> Self {
        text.map_or(Self::Null, Self::Text)
    }
}

impl<'a> From<&'a InstanceId> for Param<'a> {
    fn from(instance: &'a InstanceId) -> Self {
        Self::Text(instance.as_str())
    }
}

impl<'a> From<&'a MessageId> for Param<'a> {
    fn from(message: &'a MessageId) -> Self {
        Self::Text(message.as_str())
    }
}

impl<'a> From<&'a [u8]> for Param<'a> {
    fn from(bytes: &'a [u8]) -> Self {
        Self::Blob(bytes)
    }
}

/// A row of an answer. Columns are counted from 0.
pub(super) trait Row {
    /// A whole number that is not negative; `None` for NULL.
    fn maybe_number(&self, column: usize) -> Result<Option<u64>, SqlError>;

    /// A text; `None` for NULL.
    fn maybe_text(&self, column: usize) -> Result<Option<&str>, SqlError>;

    /// Bytes; `None` for NULL.
    fn maybe_bytes(&self, column: usize) -> Result<Option<Bytes>, SqlError>;
}

impl dyn Row + '_ {
    pub(super) fn number(&self, column: usize) -> Result<u64, SqlError> {
        self.maybe_number(column)?.ok_or_else(|| SqlError::damaged("a number is missing"))
    }

    pub(super) fn text(&self, column: usize) -> Result<&str, SqlError> {
        self.maybe_text(column)?.ok_or_else(|| SqlError::damaged("a text is missing"))
    }

    pub(super) fn moment(&self, column: usize) -> Result<Timestamp, SqlError> {
        Ok(Timestamp::from_millis(self.number(column)?))
    }

    pub(super) fn instance(&self, column: usize) -> Result<InstanceId, SqlError> {
        InstanceId::new(self.text(column)?).map_err(|_| SqlError::damaged("an instance id is none"))
    }

    pub(super) fn message(&self, column: usize) -> Result<MessageId, SqlError> {
        MessageId::new(self.text(column)?).map_err(|_| SqlError::damaged("a message id is none"))
    }
}

/// A statement failed.
#[derive(Debug, thiserror::Error)]
#[error("{message}")]
pub(super) struct SqlError {
    pub(super) kind: ErrorKind,
    message: String,
    #[source]
    source: Option<Box<dyn Error + Send + Sync>>,
}

impl SqlError {
    pub(super) fn new(kind: ErrorKind, source: impl Error + Send + Sync + 'static) -> Self {
        Self { kind, message: source.to_string(), source: Some(Box::new(source)) }
    }

    pub(super) fn damaged(message: &str) -> Self {
        Self { kind: ErrorKind::Corrupt, message: message.to_owned(), source: None }
    }

    /// What was said already, of this kind.
    pub(super) fn again(kind: ErrorKind, said: &impl std::fmt::Display) -> Self {
        Self { kind, message: said.to_string(), source: None }
    }

    /// The store was closed.
    pub(super) fn closed() -> Self {
        Self { kind: ErrorKind::Closed, message: "the store was closed".to_owned(), source: None }
    }

    /// As the error of an operation of the port.
    pub(super) fn during(self, operation: &'static str) -> ProviderError {
        let error = ProviderError::new(self.kind, operation, &self.message);
        match self.source {
            Some(source) => error.source(source),
            None => error,
        }
    }
}

/// A connection and what it is used for, which errors name.
pub(super) struct Sql<'a> {
    pub(super) session: &'a mut dyn Session,
    pub(super) operation: &'static str,
}

impl Sql<'_> {
    pub(super) fn execute(&mut self, sql: &'static str, params: &[Param<'_>]) -> Result<usize, ProviderError> {
        self.session.execute(sql, params).map_err(|error| error.during(self.operation))
    }

    /// All rows.
    pub(super) fn all<T>(
        &mut self,
        sql: &'static str,
        params: &[Param<'_>],
        mut read: impl FnMut(&dyn Row) -> Result<T, SqlError>,
    ) -> Result<Vec<T>, ProviderError> {
        let mut rows = Vec::new();
        let mut each = |row: &dyn Row| {
            rows.push(read(row)?);
            Ok(())
        };
        self.session.query(sql, params, &mut each).map_err(|error| error.during(self.operation))?;
        Ok(rows)
    }

    /// The first row.
    pub(super) fn first<T>(
        &mut self,
        sql: &'static str,
        params: &[Param<'_>],
        read: impl FnMut(&dyn Row) -> Result<T, SqlError>,
    ) -> Result<Option<T>, ProviderError> {
        Ok(self.all(sql, params, read)?.into_iter().next())
    }

    /// A record of this instance is not what was written.
    pub(super) fn damaged(&self, instance: &InstanceId, what: &str) -> ProviderError {
        ProviderError::new(ErrorKind::Corrupt, self.operation, format!("{what} is damaged")).instance(instance)
    }
}
