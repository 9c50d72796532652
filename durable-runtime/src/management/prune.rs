//! Deleting old executions of instances that go on.

use uuid::Uuid;

use super::query::{Query, whole};
use crate::client::Client;
use crate::client::ReadError;
use crate::ids::{ExecutionId, InstanceId};
use crate::providers::{CommitError, CommitId, ProviderError, Transaction, TransactionOp};

/// How many executions are looked at together.
const PAGE: usize = 1_000;

/// How many executions are to stay; see [`Client::prune`].
#[must_use = "nothing is deleted until `.run()`"]
pub struct Prune {
    query: Query,
    keep: u64,
    dry_run: bool,
}

/// What was deleted, or would be.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
#[non_exhaustive]
pub struct PruneReport {
    /// Instances of which something was deleted.
    pub instances: u64,
    /// Executions that were deleted.
    pub executions: u64,
    /// Events that were deleted with them.
    pub events: u64,
}

/// Executions could not be deleted. What was deleted before stays deleted.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum PruneError {
    /// The store cannot be read.
    #[error(transparent)]
    Read(#[from] ReadError),
    /// The store failed.
    #[error(transparent)]
    Commit(#[from] CommitError),
}

impl From<ProviderError> for PruneError {
    fn from(error: ProviderError) -> Self {
        Self::Read(error.into())
    }
}

impl Client {
    /// Deletes the histories of old executions: each instance keeps its newest `keep`, at least one. An instance that
    /// continues as new for years does not need them any more; the one that goes on is never touched.
    ///
    /// ```standalone_crate
    /// use durable_runtime::prelude::*;
    /// use durable_runtime::testing::TestRuntime;
    ///
    /// #[orchestration]
    /// async fn counter(ctx: OrchestrationContext, from: u32) -> u32 {
    ///     ctx.timer(Duration::from_secs(60)).await;
    ///     if from == 9 { from } else { counter(&ctx, from + 1).continue_as_new().await }
    /// }
    ///
    /// # #[tokio::main(flavor = "current_thread")]
    /// # async fn main() -> Result<(), Box<dyn std::error::Error>> {
    /// let runtime = TestRuntime::start().await?;
    /// let client = runtime.client();
    /// runtime.run(counter(&client, 0)).await?;
    /// let report = client.prune(client.query(), 3).run().await?;
    /// assert_eq!(report.executions, 7);
    /// # runtime.shutdown().await;
    /// # Ok(())
    /// # }
    /// ```
    pub fn prune(&self, query: Query, keep: u64) -> Prune {
        Prune { query, keep: keep.max(1), dry_run: false }
    }
}

impl Prune {
    /// Deletes nothing, and reports what it would delete.
    pub fn dry_run(mut self) -> Self {
        self.dry_run = true;
        self
    }

    /// Deletes them.
    ///
    /// # Errors
    /// [`PruneError`] if the store fails.
    pub async fn run(self) -> Result<PruneReport, PruneError> {
        let Self { query, keep, dry_run } = self;
        let client = query.client.clone();
        let mut instances = Vec::new();
        let damaged = query
            .each(|status| {
                // Executions from here on stay.
                if let Some(oldest) = (status.execution_id.0 + 1).checked_sub(keep).filter(|oldest| *oldest > 1) {
                    instances.push((status.instance, ExecutionId(oldest)));
                }
                true
            })
            .await?;
        let mut report = PruneReport::default();
        for (instance, oldest) in instances {
            let before = report.executions;
            client.prune_one(&instance, oldest, dry_run, &mut report).await?;
            report.instances += u64::from(report.executions > before);
        }
        // After all that can be read.
        whole(damaged)?;
        Ok(report)
    }
}

impl Client {
    async fn prune_one(
        &self,
        instance: &InstanceId,
        oldest: ExecutionId,
        dry_run: bool,
        report: &mut PruneReport,
    ) -> Result<(), PruneError> {
        let mut from = ExecutionId::FIRST;
        loop {
            let page = self.provider().executions(instance, from, PAGE).await?;
            let old: Vec<_> = page.iter().filter(|execution| execution.execution_id < oldest).collect();
            let Some(last) = old.last() else { return Ok(()) };
            from = last.execution_id.next();
            report.executions += old.len() as u64;
            report.events += old.iter().map(|execution| execution.history_len).sum::<u64>();
            let delete = |execution_id| TransactionOp::DeleteExecution { instance: instance.clone(), execution_id };
            let ops = old.iter().map(|execution| delete(execution.execution_id)).collect();
            if !dry_run {
                let commit_id = CommitId(Uuid::new_v4().as_u128());
                match self.provider().atomic_batch(Transaction { fence: None, commit_id, ops }).await {
                    // It was deleted meanwhile.
                    Ok(_) | Err(CommitError::NoInstance(_)) => {}
                    Err(error) => return Err(error.into()),
                }
            }
        }
    }
}
