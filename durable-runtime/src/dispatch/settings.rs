//! Settings of a runtime that have to do with watching it, and with how long things last.

use std::sync::Arc;
use std::time::Duration;

use super::builder::RuntimeBuilder;
use crate::clock::Clock;
use crate::management::Retention;
use crate::observe::TraceContext;
#[cfg(doc)]
use crate::{Client, Runtime};

impl RuntimeBuilder {
    /// What durations in [`Runtime::metrics`] are measured with: the clock of the machine unless you say otherwise. What
    /// is due is decided by the clock of the store alone.
    #[must_use]
    pub fn metrics_clock(mut self, clock: impl Clock) -> Self {
        self.clock = Arc::new(clock);
        self
    }

    /// Where clients find the trace that a start belongs to: this is called in the task that starts an instance. With
    /// OpenTelemetry, for example, it reads the context of the current span and writes it as a `traceparent`.
    ///
    /// ```standalone_crate
    /// use durable_runtime::observe::TraceContext;
    /// use durable_runtime::prelude::*;
    ///
    /// # #[derive(Default)] struct Tracer;
    /// # impl Tracer { fn current(&self) -> Option<String> { Some("00-0af7651916cd43dd8448eb211c80319c-b7ad6b7169203331-01".into()) } }
    /// #[activity]
    /// async fn fetch(ctx: ActivityContext) -> Option<String> {
    ///     ctx.trace().map(|trace| trace.traceparent().to_owned()) // a header of the request
    /// }
    ///
    /// #[orchestration]
    /// async fn report(ctx: OrchestrationContext) -> Result<Option<String>, ActivityError> {
    ///     fetch(&ctx).await
    /// }
    ///
    /// # #[tokio::main(flavor = "current_thread")]
    /// # async fn main() -> Result<(), Box<dyn std::error::Error>> {
    /// # let tracer = Tracer;
    /// let builder = Runtime::builder(MemoryProvider::new());
    /// let runtime = builder.trace_source(move || tracer.current()?.parse().ok()).start().await?;
    /// let header = report(&runtime.client()).start().await?.result().await?;
    /// assert_eq!(header.as_deref(), Some("00-0af7651916cd43dd8448eb211c80319c-b7ad6b7169203331-01"));
    /// # runtime.shutdown(Duration::from_secs(5)).await;
    /// # Ok(())
    /// # }
    /// ```
    #[must_use]
    pub fn trace_source(mut self, source: impl Fn() -> Option<TraceContext> + Send + Sync + 'static) -> Self {
        self.trace_source = Some(Arc::new(source));
        self
    }

    /// Deletes instances that ended longer ago than this, by the clock of the store; it looks every ten minutes. Without
    /// it nothing is deleted unless somebody asks for it; see [`Client::purge`](crate::Client::purge).
    #[must_use]
    pub fn retention(mut self, age: Duration) -> Self {
        self.retention.push(Retention::Age(age));
        self
    }

    /// Keeps so many closed instances, those that ended last, and deletes the others; it looks every ten minutes. May stand
    /// beside [`RuntimeBuilder::retention`]: then what either of them does not keep is deleted.
    #[must_use]
    pub fn retention_count(mut self, newest: usize) -> Self {
        self.retention.push(Retention::Count(newest));
        self
    }

    /// Which version of an orchestration counts as its [`LATEST`](crate::context::LATEST), instead of the newest one that is
    /// registered: for a deploy that takes new instances only when you say so, or for a step back. What runs stays with
    /// its version, and who asks for a version gets it. [`RuntimeBuilder::start`] refuses a version that is not there.
    ///
    /// ```standalone_crate
    /// use durable_runtime::prelude::*;
    ///
    /// #[orchestration(name = "greet", version = "1.0.0")]
    /// async fn greet(ctx: OrchestrationContext) -> String {
    ///     "hello".to_owned()
    /// }
    ///
    /// #[orchestration(name = "greet", version = "2.0.0")]
    /// async fn greet_politely(ctx: OrchestrationContext) -> String {
    ///     "good day".to_owned()
    /// }
    ///
    /// # #[tokio::main(flavor = "current_thread")]
    /// # async fn main() -> Result<(), Box<dyn std::error::Error>> {
    /// let runtime = Runtime::builder(MemoryProvider::new()).latest_version("greet", "1.0.0").start().await?;
    /// let client = runtime.client();
    /// let id = client.start_named("greet", &serde_json::json!({})).start().await?;
    /// assert_eq!(client.status(id.as_str()).await?.version, "1.0.0");
    /// # runtime.shutdown(Duration::from_secs(5)).await;
    /// # Ok(())
    /// # }
    /// ```
    #[must_use]
    pub fn latest_version(mut self, orchestration: impl Into<String>, version: impl Into<String>) -> Self {
        self.latest.insert(orchestration.into(), version.into());
        self
    }

    /// How long a lease on an instance or an activity lasts: 30 seconds unless you say otherwise, at least 10 ms. It is
    /// renewed at a third of that by a thread that no user code can block. If this process stops without ending in order,
    /// others on the same store take over when it is over.
    #[must_use]
    pub fn lease(mut self, lease: Duration) -> Self {
        self.lease = lease.max(Duration::from_millis(10));
        self
    }
}
