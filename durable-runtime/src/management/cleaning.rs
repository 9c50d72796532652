//! Deleting what ended long ago.

use std::time::Duration;

use super::bulk::BulkReport;
use crate::client::{Client, ListError};
use crate::clock::Timestamp;

/// Which closed instances are to go; see [`Client::purge`].
#[must_use = "nothing is deleted until `.run()`"]
pub struct Purge {
    client: Client,
    age: Duration,
    name: Option<String>,
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
    /// assert_eq!(client.purge(week).run().await?.done.len(), 1);
    /// # runtime.shutdown().await;
    /// # Ok(())
    /// # }
    /// ```
    pub fn purge(&self, age: Duration) -> Purge {
        Purge { client: self.clone(), age, name: None, dry_run: false }
    }
}

impl Purge {
    /// Only those of this orchestration.
    pub fn name(mut self, name: impl Into<String>) -> Self {
        self.name = Some(name.into());
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
        let query = self.client.query().closed_before(Timestamp::from_millis(limit.saturating_add(1)));
        let query = match self.name {
            Some(name) => query.name(name),
            None => query,
        };
        let bulk = query.delete_all();
        if self.dry_run { bulk.dry_run().run().await } else { bulk.run().await }
    }
}
