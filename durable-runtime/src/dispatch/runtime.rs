//! A runtime: what is started, and how it ends.

use std::sync::Arc;
use std::thread::JoinHandle;
use std::time::Duration;

use tokio::runtime::Handle;
use tokio::task::AbortHandle;

use super::activities::Workers;
use super::builder::RuntimeBuilder;
use super::door::Door;
use crate::client::Client;
use crate::observe::{Meter, Metrics};
use crate::providers::Provider;
use crate::registry::Registry;

/// Runs orchestrations and activities on a store. It lives until [`Runtime::shutdown`], or until it is dropped.
///
/// ```standalone_crate
/// use durable_runtime::prelude::*;
///
/// #[activity]
/// async fn greet(name: String) -> String {
///     format!("Hello, {name}!")
/// }
///
/// #[orchestration]
/// async fn welcome(ctx: OrchestrationContext, name: String) -> Result<String, ActivityError> {
///     greet(&ctx, name).await
/// }
///
/// # #[tokio::main(flavor = "current_thread")]
/// # async fn main() -> Result<(), Box<dyn std::error::Error>> {
/// let runtime = Runtime::builder(MemoryProvider::new()).start().await?;
/// let handle = welcome(&runtime.client(), "Ada".to_owned()).start().await?;
/// assert_eq!(handle.result().await?, "Hello, Ada!");
/// runtime.shutdown(Duration::from_secs(5)).await;
/// # Ok(())
/// # }
/// ```
pub struct Runtime {
    pub(super) provider: Arc<dyn Provider>,
    pub(super) client: Client,
    pub(super) door: Arc<Door>,
    pub(super) workers: Arc<Workers>,
    pub(super) engine: Handle,
    pub(super) tasks: Vec<AbortHandle>,
    pub(super) threads: Vec<JoinHandle<()>>,
    pub(super) meter: Arc<Meter>,
    pub(super) keep_store_open: bool,
}

impl Runtime {
    /// Settings of a runtime on this store, which it closes when it is shut down.
    pub fn builder(store: impl Provider) -> RuntimeBuilder {
        RuntimeBuilder::new(Arc::new(store))
    }

    /// The activities it runs: topics and tags.
    #[cfg(feature = "testing")]
    pub(crate) fn served(&self) -> (Vec<String>, Arc<[String]>) {
        (self.workers.topics(), self.workers.tags())
    }

    /// A client of this runtime. Cheap; clone it freely.
    pub fn client(&self) -> Client {
        self.client.clone()
    }

    pub(crate) fn handlers(&self) -> &Registry {
        &self.door.registry
    }

    /// What it has counted and measured since it was started, and what waits in the store at the moment. It answers even
    /// if the store does not.
    ///
    /// ```standalone_crate
    /// use durable_runtime::prelude::*;
    ///
    /// #[orchestration]
    /// async fn nap(ctx: OrchestrationContext) {
    ///     ctx.timer(Duration::from_millis(1)).await;
    /// }
    ///
    /// # #[tokio::main(flavor = "current_thread")]
    /// # async fn main() -> Result<(), Box<dyn std::error::Error>> {
    /// let runtime = Runtime::builder(MemoryProvider::new()).start().await?;
    /// nap(&runtime.client()).start().await?.result().await?;
    /// let metrics = runtime.metrics().await;
    /// assert_eq!((metrics.starts["nap"], metrics.turn_time.count), (1, 2));
    /// println!("99 of 100 turns took at most {} µs", metrics.turn_time.quantile(0.99));
    /// # runtime.shutdown(Duration::from_secs(5)).await;
    /// # Ok(())
    /// # }
    /// ```
    pub async fn metrics(&self) -> Metrics {
        let stats = self.provider.stats().await.ok();
        self.meter.read(self.door.suspended.count(), stats, self.provider.groups())
    }

    /// Ends it: takes no more from clients, lets running activities end until `deadline` is over, stops the rest
    /// (they run again after the next start), keeps the turns under way, and closes the store. After it no task and
    /// no thread is left, except for blocking activities that go on by themselves.
    pub async fn shutdown(mut self, deadline: Duration) {
        self.door.close();
        self.abort_tasks();
        let workers = Arc::clone(&self.workers);
        let drained = self.engine.spawn(async move { tokio::time::timeout(deadline, workers.idle()).await.is_ok() });
        if !drained.await.unwrap_or(false) {
            tracing::warn!("activities still ran at the deadline of the shutdown; they run again after the next start");
        }
        self.workers.abort();
        self.door.stop();
        let threads = std::mem::take(&mut self.threads);
        let _ = tokio::task::spawn_blocking(|| threads.into_iter().for_each(|thread| drop(thread.join()))).await;
        if !self.keep_store_open {
            self.provider.close().await;
        }
    }

    fn abort_tasks(&mut self) {
        self.tasks.drain(..).for_each(|task| task.abort());
    }
}

impl Drop for Runtime {
    /// Without a shutdown nothing is waited for: what is under way is taken up by the next start.
    fn drop(&mut self) {
        self.door.close();
        self.abort_tasks();
        self.workers.abort();
        self.door.stop();
    }
}
