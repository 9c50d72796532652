//! Deleting what ended long ago.

use std::time::Duration;

use super::bulk::BulkReport;
use super::query::Query;
use crate::client::{Client, ListError};
use crate::clock::Timestamp;
use crate::metadata::Status;

/// Where an instance stands that has ended.
const CLOSED: [Status; 5] =
    [Status::Completed, Status::Failed, Status::Cancelled, Status::Terminated, Status::TimedOut];

/// Which closed instances are to go; see [`Client::purge`].
#[derive(Clone)]
#[must_use = "nothing is deleted until `.run()`"]
pub struct Purge {
    client: Client,
    age: Duration,
    name: Option<String>,
    spared: usize,
    dry_run: bool,
}

impl Client {
    /// Deletes all instances that ended at least so long ago, by the clock of the store.
    ///
    /// ```standalone_crate
    /// use durable_runtime::prelude::*;
    /// use durable_runtime::testing::TestRuntime;
    ///
    /// #[orchestration]
    /// async fn order(ctx: OrchestrationContext) {
    ///     ctx.timer(Duration::from_secs(60)).await;
    /// }
    ///
    /// # #[tokio::main(flavor = "current_thread")]
    /// # async fn main() -> Result<(), Box<dyn std::error::Error>> {
    /// let runtime = TestRuntime::start().await?;
    /// let client = runtime.client();
    /// runtime.run(order(&client)).await?;
    /// let week = Duration::from_secs(7 * 86_400);
    /// assert_eq!(client.purge(week).run().await?.done.len(), 0);
    /// runtime.advance(week).await;
    /// assert_eq!(client.purge(week).keep_newest(100).run().await?.done.len(), 0); // there are not so many
    /// assert_eq!(client.purge(week).run().await?.done.len(), 1);
    /// # runtime.shutdown().await;
    /// # Ok(())
    /// # }
    /// ```
    pub fn purge(&self, age: Duration) -> Purge {
        Purge { client: self.clone(), age, name: None, spared: 0, dry_run: false }
    }
}

impl Purge {
    /// Only those of this orchestration.
    pub fn name(mut self, name: impl Into<String>) -> Self {
        self.name = Some(name.into());
        self
    }

    /// Leaves so many alone, those that ended last of all, however long ago that was. With an age of zero, the number alone
    /// decides.
    pub fn keep_newest(mut self, count: usize) -> Self {
        self.spared = count;
        self
    }

    /// Deletes nothing, and reports what it would delete.
    pub fn dry_run(mut self) -> Self {
        self.dry_run = true;
        self
    }

    /// Deletes them.
    ///
    /// # Errors
    /// [`ListError`] if the store cannot be read. What could not be deleted stands in the report.
    pub async fn run(self) -> Result<BulkReport, ListError> {
        let Some(now) = self.client.store_time().await? else { return Ok(BulkReport::default()) };
        let age = u64::try_from(self.age.as_millis()).unwrap_or(u64::MAX);
        let Some(limit) = now.as_millis().checked_sub(age) else { return Ok(BulkReport::default()) };
        // What ended at the limit is old enough.
        let before = Timestamp::from_millis(limit.saturating_add(1));
        let query = CLOSED.into_iter().fold(self.client.query(), Query::status);
        let query = match self.name {
            Some(name) => query.name(name),
            None => query,
        };
        let bulk = match self.spared {
            0 => query.closed_before(before).delete_all(),
            // Who is among the newest is told by all of them.
            count => query.delete_all().sparing_newest(count, before),
        };
        if self.dry_run { bulk.dry_run().run().await } else { bulk.run().await }
    }
}
