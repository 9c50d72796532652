//! Values by key, kept beside the history.

use std::panic::Location;

use serde::Serialize;

use super::OrchestrationContext;
use crate::history::Place;
use crate::ids::{IdError, check_id};
use crate::orchestration::NotSend;
use crate::payload::{CodecError, Payload, PayloadValue};
use crate::replay::Full;
use crate::replay::current::{self, ExecutionKey};

/// A value by key was not kept, or could not be read.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[non_exhaustive]
pub enum KvError {
    /// The key cannot be one.
    #[error(transparent)]
    Key(#[from] IdError),
    /// The value cannot be encoded, or is of another type.
    #[error("the value of key `{key}`: {error}")]
    Codec {
        /// The key.
        key: String,
        /// Why.
        error: CodecError,
    },
    /// The value is too long; keep a reference to it instead.
    #[error("the value of key `{key}` has {bytes} bytes; at most {most} are kept")]
    TooLong {
        /// The key.
        key: String,
        /// How long it is.
        bytes: usize,
        /// How long it may be.
        most: usize,
    },
    /// There are too many keys; remove some.
    #[error("key `{key}` would be one too many; an instance has at most {most}, so remove some")]
    TooMany {
        /// The key.
        key: String,
        /// How many there may be.
        most: usize,
    },
    /// All values together are too long; remove some.
    #[error("with key `{key}` the instance would keep more than {most} bytes; remove some")]
    Full {
        /// The key.
        key: String,
        /// How long they may be.
        most: usize,
    },
}

impl OrchestrationContext {
    /// Values by key that outlive this execution: the next ones of this instance read them, and so do clients, by
    /// [`Handle::kv`](crate::Handle::kv), while it runs and after it. They are kept with the turn that sets them. A new start
    /// of the same id begins without any.
    ///
    /// ```standalone_crate
    /// use durable_runtime::prelude::*;
    /// use durable_runtime::testing::TestRuntime;
    ///
    /// #[derive(Event, Serialize, Deserialize)]
    /// struct Deposit(u64);
    ///
    /// #[orchestration]
    /// async fn account(ctx: OrchestrationContext) -> Result<(), String> {
    ///     let deposit = ctx.event::<Deposit>().await.0;
    ///     let balance = ctx.kv().get::<u64>("balance").map_err(|error| error.to_string())?.unwrap_or_default();
    ///     ctx.kv().set("balance", &(balance + deposit)).map_err(|error| error.to_string())?;
    ///     account(&ctx).continue_as_new().await
    /// }
    ///
    /// # #[tokio::main(flavor = "current_thread")]
    /// # async fn main() -> Result<(), Box<dyn std::error::Error>> {
    /// let runtime = TestRuntime::start().await?;
    /// let handle = account(&runtime.client()).start().await?;
    /// handle.raise(Deposit(5)).await?;
    /// handle.raise(Deposit(7)).await?;
    /// runtime.settled().await;
    /// assert_eq!(handle.kv::<u64>("balance").await?, Some(12));
    /// runtime.shutdown().await;
    /// # Ok(())
    /// # }
    /// ```
    pub fn kv(&self) -> Kv {
        Kv { key: self.key(), _not_send: std::marker::PhantomData }
    }
}

/// The values of this instance by key; see [`OrchestrationContext::kv`].
#[derive(Debug, Clone, Copy)]
pub struct Kv {
    key: ExecutionKey,
    _not_send: NotSend,
}

impl Kv {
    /// The value of a key; `None` if it has none. What another execution has set is recorded in the history the first time.
    ///
    /// # Errors
    /// [`KvError::Codec`] if it is of another type, [`KvError::Key`] if the key cannot be one.
    #[track_caller]
    pub fn get<T: PayloadValue>(&self, key: &str) -> Result<Option<T>, KvError> {
        check_id("key", key)?;
        let place = Place::from(Location::caller());
        let value = current::with(self.key, |journal| journal.kv_get(key, place));
        value.map(|value| value.decode()).transpose().map_err(|error| KvError::Codec { key: key.to_owned(), error })
    }

    /// Sets the value of a key.
    ///
    /// # Errors
    /// [`KvError`] if the key cannot be one, the value cannot be encoded, or it is too much; nothing has changed then.
    #[track_caller]
    pub fn set<T: Serialize + ?Sized>(&self, key: &str, value: &T) -> Result<(), KvError> {
        check_id("key", key)?;
        let place = Place::from(Location::caller());
        let value = Payload::encode(value).map_err(|error| KvError::Codec { key: key.to_owned(), error })?;
        let bytes = value.len();
        current::with(self.key, |journal| journal.kv_put(key, Some(value), place)).map_err(|full| {
            let key = key.to_owned();
            match full {
                Full::Value { most } => KvError::TooLong { key, bytes, most },
                Full::Keys { most } => KvError::TooMany { key, most },
                Full::Bytes { most } => KvError::Full { key, most },
            }
        })
    }

    /// Takes the value of a key away.
    ///
    /// # Errors
    /// [`KvError::Key`] if the key cannot be one.
    #[track_caller]
    pub fn remove(&self, key: &str) -> Result<(), KvError> {
        check_id("key", key)?;
        let place = Place::from(Location::caller());
        // Less is never too much.
        let _ = current::with(self.key, |journal| journal.kv_put(key, None, place));
        Ok(())
    }
}
