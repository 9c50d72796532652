//! Doing one thing to all that match.

use super::DeleteError;
use super::query::Query;
use crate::client::{Client, ListError, MessageError, StartError};
use crate::clock::Timestamp;
use crate::event::Event;
use crate::ids::InstanceId;
use crate::metadata::Status;
use crate::payload::{CodecError, Payload};
use crate::providers::DamagedInstance;

/// What is done to all instances that a query finds.
#[must_use = "nothing is done until `.run()`"]
pub struct Bulk {
    query: Query,
    verb: Verb,
    dry_run: bool,
    /// So many of those that ended last are left alone, and what ended then or later.
    spared: Option<(usize, Timestamp)>,
}

enum Verb {
    Cancel(String),
    Terminate(String),
    Suspend,
    Resume,
    Raise(String, Result<Payload, CodecError>),
    Restart,
    Delete,
}

/// What was done.
#[derive(Debug, Default)]
#[non_exhaustive]
pub struct BulkReport {
    /// To which instances it was done, or, in a dry run, would be done; ordered by id.
    pub done: Vec<InstanceId>,
    /// To which it could not be done, and why.
    pub skipped: Vec<Skipped>,
}

/// An instance that was left alone.
#[derive(Debug)]
#[non_exhaustive]
pub struct Skipped {
    /// The instance.
    pub instance: InstanceId,
    /// Why.
    pub reason: String,
}

impl Query {
    /// Asks all that match and have not ended to end; see [`Client::cancel`](crate::Client::cancel).
    ///
    /// ```standalone_crate
    /// use durable_runtime::prelude::*;
    /// use durable_runtime::testing::TestRuntime;
    ///
    /// #[orchestration]
    /// async fn order(ctx: OrchestrationContext) {
    ///     ctx.timer(Duration::from_secs(86_400)).await;
    /// }
    ///
    /// # #[tokio::main(flavor = "current_thread")]
    /// # async fn main() -> Result<(), Box<dyn std::error::Error>> {
    /// let runtime = TestRuntime::start().await?;
    /// let client = runtime.client();
    /// for number in 1..=3 {
    ///     order(&client).id(format!("order-{number}")).start().await?;
    /// }
    /// let all = || client.query().name("order");
    /// assert_eq!(all().cancel_all("the shop is closed").dry_run().run().await?.done.len(), 3);
    /// assert_eq!(all().cancel_all("the shop is closed").run().await?.done.len(), 3);
    /// assert_eq!(all().delete_all().run().await?.done.len(), 3);
    /// # runtime.shutdown().await;
    /// # Ok(())
    /// # }
    /// ```
    pub fn cancel_all(self, reason: impl Into<String>) -> Bulk {
        self.all(Verb::Cancel(reason.into()))
    }

    /// Ends all that match and have not ended, at once; see [`Client::terminate`](crate::Client::terminate).
    pub fn terminate_all(self, reason: impl Into<String>) -> Bulk {
        self.all(Verb::Terminate(reason.into()))
    }

    /// Suspends all that match and have not ended; see [`Client::suspend`](crate::Client::suspend).
    pub fn suspend_all(self) -> Bulk {
        self.all(Verb::Suspend)
    }

    /// Lets all that match and are suspended go on; see [`Client::resume`](crate::Client::resume).
    pub fn resume_all(self) -> Bulk {
        self.all(Verb::Resume)
    }

    /// Raises an event for all that match and have not ended; see [`Client::raise`](crate::Client::raise).
    pub fn raise_all<T: Event>(self, event: &T) -> Bulk {
        self.all(Verb::Raise(T::NAME.to_owned(), event.to_payload()))
    }

    /// Runs all that match and have ended once more, with the arguments, version and labels they had: for example all
    /// that failed while a service was away. See [`Handle::restart`](crate::Handle::restart).
    ///
    /// ```standalone_crate
    /// use std::sync::atomic::{AtomicBool, Ordering};
    ///
    /// use durable_runtime::prelude::*;
    /// use durable_runtime::testing::TestRuntime;
    ///
    /// static BANK_IS_OPEN: AtomicBool = AtomicBool::new(false);
    ///
    /// #[activity]
    /// async fn charge() -> Result<(), String> {
    ///     if BANK_IS_OPEN.load(Ordering::Relaxed) { Ok(()) } else { Err("closed".to_owned()) }
    /// }
    ///
    /// #[orchestration]
    /// async fn order(ctx: OrchestrationContext) -> Result<(), ActivityError<String>> {
    ///     charge(&ctx).await
    /// }
    ///
    /// # #[tokio::main(flavor = "current_thread")]
    /// # async fn main() -> Result<(), Box<dyn std::error::Error>> {
    /// let runtime = TestRuntime::start().await?;
    /// let client = runtime.client();
    /// let handle = order(&client).id("order-1").start().await?;
    /// assert!(handle.result().await.is_err());
    /// BANK_IS_OPEN.store(true, Ordering::Relaxed);
    /// assert_eq!(client.query().name("order").status(Status::Failed).restart_all().run().await?.done.len(), 1);
    /// handle.result().await?;
    /// # runtime.shutdown().await;
    /// # Ok(())
    /// # }
    /// ```
    pub fn restart_all(self) -> Bulk {
        self.all(Verb::Restart)
    }

    /// Deletes all that match and have ended; see [`Client::delete`](crate::Client::delete).
    pub fn delete_all(self) -> Bulk {
        self.all(Verb::Delete)
    }

    fn all(self, verb: Verb) -> Bulk {
        Bulk { query: self, verb, dry_run: false, spared: None }
    }
}

impl Bulk {
    /// Does nothing, and reports what it would do.
    pub fn dry_run(mut self) -> Self {
        self.dry_run = true;
        self
    }

    /// Leaves those alone that ended last, so many of them, and those that had not ended before this moment.
    pub(super) fn sparing_newest(mut self, count: usize, before: Timestamp) -> Self {
        self.spared = Some((count, before));
        self
    }

    /// Does it, one instance after another. Instances that begin to match while it runs may be passed over. What was done
    /// stays done if it ends with an error, or its future is dropped; run it again for the rest.
    ///
    /// # Errors
    /// [`ListError`] if the instances cannot be found. That one of them cannot be changed stands in the report.
    pub async fn run(self) -> Result<BulkReport, ListError> {
        let Self { query, verb, dry_run, spared } = self;
        let client = query.client.clone();
        let mut matching = Vec::new();
        let damaged = query
            .each(|status| {
                if verb.concerns(status.status) {
                    matching.push((status.closed_at, status.instance));
                }
                true
            })
            .await?;
        let mut report = BulkReport::default();
        let unread = |DamagedInstance { instance, damage }| Skipped { instance, reason: damage };
        report.skipped.extend(damaged.into_iter().map(unread));
        for instance in not_spared(matching, spared) {
            match if dry_run { Ok(()) } else { verb.perform(&client, &instance).await } {
                Ok(()) => report.done.push(instance),
                Err(failed) => report.skipped.push(Skipped { instance, reason: failed.to_string() }),
            }
        }
        Ok(report)
    }
}

/// What is not spared, ordered by id.
fn not_spared(
    mut found: Vec<(Option<Timestamp>, InstanceId)>,
    spared: Option<(usize, Timestamp)>,
) -> impl Iterator<Item = InstanceId> {
    if let Some((count, before)) = spared {
        found.sort_unstable();
        found.truncate(found.len().saturating_sub(count));
        found.retain(|(closed_at, _)| closed_at.is_some_and(|closed_at| closed_at < before));
        found.sort_unstable_by(|(_, left), (_, right)| left.cmp(right));
    }
    found.into_iter().map(|(_, instance)| instance)
}

impl Verb {
    /// Whether there is anything to be done to one that stands here.
    fn concerns(&self, status: Status) -> bool {
        match self {
            Self::Cancel(_) | Self::Terminate(_) | Self::Suspend | Self::Raise(..) => !status.is_closed(),
            Self::Resume => status == Status::Suspended,
            Self::Delete | Self::Restart => status.is_closed(),
        }
    }

    async fn perform(&self, client: &Client, instance: &InstanceId) -> Result<(), Failed> {
        match self {
            Self::Cancel(reason) => client.cancel(instance, reason).await?,
            Self::Terminate(reason) => client.terminate(instance, reason).await?,
            Self::Suspend => client.suspend(instance).await?,
            Self::Resume => client.resume(instance).await?,
            Self::Raise(name, value) => client.raise_payload(instance, name, value.clone()).await?,
            Self::Restart => client.restart_closed(instance, None, None).await?,
            Self::Delete => client.delete_closed(instance).await?,
        }
        Ok(())
    }
}

#[derive(Debug, thiserror::Error)]
enum Failed {
    #[error(transparent)]
    Message(#[from] MessageError),
    #[error(transparent)]
    Start(#[from] StartError),
    #[error(transparent)]
    Delete(#[from] DeleteError),
}
