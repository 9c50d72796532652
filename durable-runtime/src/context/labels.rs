//! Labels: what an instance can be found by.

use std::collections::BTreeMap;

use super::OrchestrationContext;
use crate::ids::{IdError, check_id};
use crate::metadata::SYSTEM_LABELS;
use crate::orchestration::NotSend;
use crate::replay::current::{self, ExecutionKey};

/// A label was not kept.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[non_exhaustive]
pub enum LabelError {
    /// The name or the value cannot be one.
    #[error(transparent)]
    Text(#[from] IdError),
    /// Names that begin so are those of the runtime itself.
    #[error("label `{0}` begins with `durable.`, as those of the runtime do; choose another name")]
    Reserved(String),
    /// There are too many.
    #[error("label `{name}` would be one too many; an instance has at most {most}, so remove some")]
    TooMany {
        /// The name.
        name: String,
        /// How many there may be.
        most: usize,
    },
}

impl OrchestrationContext {
    /// The labels of this instance, by which clients find it: those it was started with, and those that it gives itself.
    /// They are kept with the turn that sets them, and go on into the next executions. A new start of the same id begins
    /// with its own.
    ///
    /// ```standalone_crate
    /// use durable_runtime::prelude::*;
    /// use durable_runtime::testing::TestRuntime;
    ///
    /// #[orchestration]
    /// async fn order(ctx: OrchestrationContext, cents: u64) -> u64 {
    ///     let size = if cents > 100_000 { "large" } else { "small" };
    ///     ctx.labels().set("size", size).expect("a short text");
    ///     ctx.timer(Duration::from_secs(60)).await;
    ///     cents
    /// }
    ///
    /// # #[tokio::main(flavor = "current_thread")]
    /// # async fn main() -> Result<(), Box<dyn std::error::Error>> {
    /// let runtime = TestRuntime::start().await?;
    /// let client = runtime.client();
    /// order(&client, 250_000).label("customer", "ada").start().await?;
    /// let found = client.list().label("customer", "ada").label("size", "large").page().await?;
    /// assert_eq!(found.instances.len(), 1);
    /// runtime.shutdown().await;
    /// # Ok(())
    /// # }
    /// ```
    pub fn labels(&self) -> Labels {
        Labels { key: self.key(), _not_send: std::marker::PhantomData }
    }
}

/// The labels of this instance; see [`OrchestrationContext::labels`].
#[derive(Debug, Clone, Copy)]
pub struct Labels {
    key: ExecutionKey,
    _not_send: NotSend,
}

impl Labels {
    /// The value of a label.
    #[track_caller]
    pub fn get(&self, name: &str) -> Option<String> {
        current::with(self.key, |journal| journal.labels.all().get(name).cloned())
    }

    /// All of them.
    #[track_caller]
    pub fn all(&self) -> BTreeMap<String, String> {
        current::with(self.key, |journal| journal.labels.all().clone())
    }

    /// Sets a label.
    ///
    /// # Errors
    /// [`LabelError`] if the name or the value cannot be one, or there are too many; nothing has changed then.
    #[track_caller]
    pub fn set(&self, name: &str, value: &str) -> Result<(), LabelError> {
        check_id("label", name)?;
        check_id("value of a label", value)?;
        if name.starts_with(SYSTEM_LABELS) {
            return Err(LabelError::Reserved(name.to_owned()));
        }
        let set = |journal: &mut crate::replay::Journal| {
            let most = journal.facts.limits.labels_max;
            if journal.labels.put(name, Some(value), most) { Ok(()) } else { Err(most) }
        };
        current::with(self.key, set).map_err(|most| LabelError::TooMany { name: name.to_owned(), most })
    }

    /// Takes a label away.
    #[track_caller]
    pub fn remove(&self, name: &str) {
        // The runtime's own are no labels of the code.
        if !name.starts_with(SYSTEM_LABELS) {
            current::with(self.key, |journal| journal.labels.put(name, None, usize::MAX));
        }
    }
}
