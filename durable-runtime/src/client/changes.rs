//! Waiting for a change of what is known of an instance.

use std::time::Duration;

use super::handle::WAIT;
use super::{Client, Handle, ReadError};
use crate::ids::InstanceId;
use crate::metadata::InstanceStatus;
use crate::orchestration::Orchestration;

impl Client {
    /// What is known of an instance, as soon as it is something else than what had the revision `seen`: where it stands, the
    /// status that it shows, its labels, its values by key. After `wait` it answers whether there is a change or not.
    /// The store says when; nothing is polled.
    ///
    /// ```standalone_crate
    /// use durable_runtime::prelude::*;
    /// use durable_runtime::testing::TestRuntime;
    ///
    /// #[orchestration]
    /// async fn import(ctx: OrchestrationContext) {
    ///     for row in 1..=3_u32 {
    ///         ctx.event_named::<u32>("row").await;
    ///         ctx.set_status(&row);
    ///     }
    /// }
    ///
    /// # #[tokio::main(flavor = "current_thread")]
    /// # async fn main() -> Result<(), Box<dyn std::error::Error>> {
    /// let runtime = TestRuntime::start().await?;
    /// let handle = import(&runtime.client()).start().await?;
    /// let mut seen = handle.status().await?.revision;
    /// for row in 1..=3_u32 {
    ///     runtime.client().raise(handle.id(), "row", &row).await?;
    ///     let status = handle.changed(seen, Duration::from_secs(10)).await?;
    ///     assert_eq!(status.custom_status.unwrap().decode::<u32>()?, row);
    ///     seen = status.revision;
    /// }
    /// runtime.shutdown().await;
    /// # Ok(())
    /// # }
    /// ```
    ///
    /// # Errors
    /// [`ReadError::NotFound`] if it does not exist after all.
    pub async fn changed(&self, id: impl AsRef<str>, seen: u64, wait: Duration) -> Result<InstanceStatus, ReadError> {
        let instance = InstanceId::new(id)?;
        let changed = async {
            loop {
                let record = self.provider().wait_for_change(&instance, seen, WAIT).await?;
                if record.map_or(0, |record| record.revision) != seen {
                    return Ok::<_, ReadError>(());
                }
            }
        };
        if let Ok(changed) = tokio::time::timeout(wait, changed).await {
            changed?;
        }
        self.status(&instance).await
    }
}

impl<O: Orchestration> Handle<O> {
    /// What is known of it, as soon as it has changed; see [`Client::changed`].
    ///
    /// # Errors
    /// [`ReadError::NotFound`] if it does not exist after all.
    pub async fn changed(&self, seen: u64, wait: Duration) -> Result<InstanceStatus, ReadError> {
        self.client().changed(self.id(), seen, wait).await
    }
}
