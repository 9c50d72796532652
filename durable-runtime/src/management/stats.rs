//! How much there is of one instance.

use crate::client::{Client, Handle, ReadError};
use crate::ids::{ExecutionId, InstanceId};
use crate::orchestration::Orchestration;
use crate::providers::{KvPageRequest, Queue};

/// How much is read together.
const PAGE: usize = 1_000;
/// How many messages of an instance are counted at most.
const MESSAGES_MAX: usize = 100_000;

/// How much there is of one instance; see [`Client::instance_stats`].
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
#[non_exhaustive]
pub struct InstanceStats {
    /// Executions whose history is kept, and the newest.
    pub executions: u64,
    /// The events of the newest.
    pub history_events: u64,
    /// The events of all of them.
    pub events: u64,
    /// Messages that wait for its turns: at most 100,000 are counted, with the activities.
    pub turn_messages: u64,
    /// Of these, those that wait for their time: timers, time limits, a delayed start.
    pub not_due: u64,
    /// Activities that wait or run.
    pub activities: u64,
    /// Of these, those that a worker has.
    pub activities_leased: u64,
    /// Keys that have a value.
    pub kv_keys: u64,
    /// The length of these values in all, in bytes.
    pub kv_bytes: u64,
}

impl Client {
    /// How much there is of an instance: executions, events, what waits in its queues, values by key.
    ///
    /// ```standalone_crate
    /// use durable_runtime::prelude::*;
    /// use durable_runtime::testing::TestRuntime;
    ///
    /// #[orchestration]
    /// async fn nap(ctx: OrchestrationContext) {
    ///     ctx.timer(Duration::from_secs(3_600)).await;
    /// }
    ///
    /// # #[tokio::main(flavor = "current_thread")]
    /// # async fn main() -> Result<(), Box<dyn std::error::Error>> {
    /// let runtime = TestRuntime::start().await?;
    /// let client = runtime.client();
    /// nap(&client).id("nap-1").start().await?;
    /// let stats = client.instance_stats("nap-1").await?;
    /// assert_eq!((stats.history_events, stats.turn_messages, stats.not_due), (2, 1, 1));
    /// # runtime.shutdown().await;
    /// # Ok(())
    /// # }
    /// ```
    ///
    /// # Errors
    /// [`ReadError::NotFound`] if it does not exist.
    pub async fn instance_stats(&self, id: impl AsRef<str>) -> Result<InstanceStats, ReadError> {
        let instance = InstanceId::new(id)?;
        self.status(&instance).await?;
        let mut stats = InstanceStats::default();
        self.count_executions(&instance, &mut stats).await?;
        self.count_messages(&instance, &mut stats).await?;
        self.count_values(&instance, &mut stats).await?;
        Ok(stats)
    }

    async fn count_executions(&self, instance: &InstanceId, stats: &mut InstanceStats) -> Result<(), ReadError> {
        let mut from = ExecutionId::FIRST;
        loop {
            let page = self.provider().executions(instance, from, PAGE).await?;
            let Some(last) = page.last() else { return Ok(()) };
            from = last.execution_id.next();
            stats.history_events = last.history_len;
            stats.executions += page.len() as u64;
            stats.events += page.iter().map(|execution| execution.history_len).sum::<u64>();
        }
    }

    async fn count_messages(&self, instance: &InstanceId, stats: &mut InstanceStats) -> Result<(), ReadError> {
        let waiting = self.provider().messages(instance, MESSAGES_MAX).await?;
        let now = self.store_time().await?;
        for message in &waiting.messages {
            match message.queue {
                Queue::Turns(_) => {
                    stats.turn_messages += 1;
                    stats.not_due += u64::from(now.is_some_and(|now| message.visible_at > now));
                }
                Queue::Activities(_) => {
                    stats.activities += 1;
                    stats.activities_leased += u64::from(message.lease.is_some());
                }
            }
        }
        Ok(())
    }

    async fn count_values(&self, instance: &InstanceId, stats: &mut InstanceStats) -> Result<(), ReadError> {
        let mut after = None;
        loop {
            let page = KvPageRequest { prefix: String::new(), after, limit: PAGE };
            let page = self.provider().kv_page(instance, page).await?;
            stats.kv_keys += page.entries.len() as u64;
            stats.kv_bytes += page.entries.iter().map(|(_, value)| value.len() as u64).sum::<u64>();
            after = page.next;
            if after.is_none() {
                return Ok(());
            }
        }
    }
}

impl<O: Orchestration> Handle<O> {
    /// How much there is of it; see [`Client::instance_stats`].
    ///
    /// # Errors
    /// [`ReadError::NotFound`] if it does not exist.
    pub async fn stats(&self) -> Result<InstanceStats, ReadError> {
        self.client().instance_stats(self.id()).await
    }
}
