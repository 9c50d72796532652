//! What a runtime can run.

use crate::dispatch::Runtime;
use crate::history::Place;
use crate::outline::Outline;

/// What a runtime can run; see [`Runtime::registry`].
#[derive(Debug, Clone)]
#[non_exhaustive]
pub struct RegistryListing {
    /// By name and version.
    pub orchestrations: Vec<RegisteredOrchestration>,
    /// By name.
    pub activities: Vec<RegisteredActivity>,
}

/// An orchestration that a runtime can run.
#[derive(Debug, Clone)]
#[non_exhaustive]
pub struct RegisteredOrchestration {
    /// Its name.
    pub name: &'static str,
    /// Its version.
    pub version: &'static str,
    /// A number over its outline.
    pub fingerprint: u64,
    /// Where it stands.
    pub place: Place,
    /// Its durable calls, branches and loops.
    pub outline: &'static Outline,
}

/// An activity that a runtime can run.
#[derive(Debug, Clone)]
#[non_exhaustive]
pub struct RegisteredActivity {
    /// Its name.
    pub name: &'static str,
    /// Where it stands.
    pub place: Place,
    /// How many of it run at once here, if its attribute says so.
    pub max_concurrent: Option<u32>,
}

impl Runtime {
    /// What it can run: names, versions, places in the source, outlines.
    ///
    /// ```standalone_crate
    /// use durable_runtime::prelude::*;
    ///
    /// #[orchestration(version = "1.2.0")]
    /// async fn nap(ctx: OrchestrationContext) {
    ///     ctx.timer(Duration::from_secs(60)).await;
    /// }
    ///
    /// # #[tokio::main(flavor = "current_thread")]
    /// # async fn main() -> Result<(), Box<dyn std::error::Error>> {
    /// let runtime = Runtime::builder(MemoryProvider::new()).start().await?;
    /// let nap = &runtime.registry().orchestrations[0];
    /// assert_eq!((nap.name, nap.version), ("nap", "1.2.0"));
    /// println!("{} stands at {}:\n{}", nap.name, nap.place, nap.outline.to_text());
    /// # runtime.shutdown(Duration::from_secs(5)).await;
    /// # Ok(())
    /// # }
    /// ```
    pub fn registry(&self) -> RegistryListing {
        let registry = self.handlers();
        let orchestrations = registry.orchestrations().map(|handler| RegisteredOrchestration {
            name: handler.name,
            version: handler.version,
            fingerprint: handler.fingerprint,
            place: handler.place.clone(),
            outline: handler.outline,
        });
        let activities = registry.activities().map(|handler| RegisteredActivity {
            name: handler.name,
            place: handler.place.clone(),
            max_concurrent: handler.concurrent_max,
        });
        RegistryListing { orchestrations: orchestrations.collect(), activities: activities.collect() }
    }
}
