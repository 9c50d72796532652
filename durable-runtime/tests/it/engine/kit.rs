//! What the tests of the engine share: gates inside activities, and waits that nothing polls.

use std::collections::HashMap;
use std::sync::atomic::{AtomicU32, Ordering};
use std::sync::{Arc, LazyLock, Mutex};
use std::time::Duration;

use durable_runtime::testing::ManualClock;
use durable_runtime::{
    Client, InstanceId, InstanceStatus, Limits, MemoryProvider, Provider, Runtime, RuntimeBuilder, SledProvider,
};
use tokio::sync::Semaphore;

/// Longer than anything takes that is not stuck; shorter than a lease.
pub(crate) const SOON: Duration = Duration::from_secs(10);

/// A place in a body where a test meets it.
pub(crate) struct Gate {
    runs: AtomicU32,
    entered: Semaphore,
    open: Semaphore,
}

static GATES: LazyLock<Mutex<HashMap<String, Arc<Gate>>>> = LazyLock::new(Mutex::default);

/// The gate of this name, the same for bodies and tests.
pub(crate) fn gate(name: impl Into<String>) -> Arc<Gate> {
    let new = || Arc::new(Gate { runs: AtomicU32::new(0), entered: Semaphore::new(0), open: Semaphore::new(0) });
    GATES.lock().unwrap().entry(name.into()).or_insert_with(new).clone()
}

impl Gate {
    /// Counts, and goes on.
    pub(crate) fn count(&self) {
        self.runs.fetch_add(1, Ordering::SeqCst);
        self.entered.add_permits(1);
    }

    /// Counts, and waits until the test opens.
    pub(crate) async fn pass(&self) {
        self.count();
        self.open.acquire().await.unwrap().forget();
    }

    /// How often it was reached.
    pub(crate) fn runs(&self) -> u32 {
        self.runs.load(Ordering::SeqCst)
    }

    /// Waits until it is reached once more.
    pub(crate) async fn reached(&self) {
        soon(self.entered.acquire()).await.unwrap().forget();
    }

    /// Lets one through.
    pub(crate) fn open(&self) {
        self.open.add_permits(1);
    }

    /// Lets all through, from now on.
    pub(crate) fn open_for_all(&self) {
        self.open.add_permits(1_000_000);
    }
}

/// What takes longer than that is stuck.
#[track_caller]
pub(crate) fn soon<F: IntoFuture>(future: F) -> impl Future<Output = F::Output> {
    let place = std::panic::Location::caller();
    let future = future.into_future();
    async move { tokio::time::timeout(SOON, future).await.unwrap_or_else(|_| panic!("stuck at {place}")) }
}

/// A runtime on a store in memory, with everything in this program.
pub(crate) async fn in_memory() -> Runtime {
    Runtime::builder(MemoryProvider::new()).start().await.unwrap()
}

/// Ends a runtime on which nothing is left to do.
pub(crate) async fn end(runtime: Runtime) {
    runtime.shutdown(SOON).await;
}

pub(crate) fn payloads_of(bytes: usize) -> Limits {
    let mut limits = Limits::default();
    limits.payload_bytes_max = bytes;
    limits
}

/// Waits until what is known of an instance is so.
pub(crate) async fn status_when(
    store: &(impl Provider + Clone),
    id: &str,
    so: impl Fn(&InstanceStatus) -> bool,
) -> InstanceStatus {
    let (reader, instance) = (Client::new(store.clone()), InstanceId::new(id).unwrap());
    let mut revision = 0;
    loop {
        let record = soon(store.wait_for_change(&instance, revision, SOON)).await.unwrap();
        revision = record.map_or(0, |record| record.revision);
        match reader.status(id).await {
            Ok(status) if so(&status) => return status,
            _ => {}
        }
    }
}

/// A store whose time is set by hand.
pub(crate) struct TestStore {
    pub(crate) store: Arc<dyn Provider>,
    pub(crate) clock: ManualClock,
    _folder: Option<tempfile::TempDir>,
}

/// One in memory and one on disk.
pub(crate) fn each_store() -> [TestStore; 2] {
    let (clock, folder) = (ManualClock::new(), tempfile::tempdir().unwrap());
    let sled = SledProvider::options().clock(clock.clone()).open(folder.path()).unwrap();
    let sled = TestStore { store: Arc::new(sled), clock, _folder: Some(folder) };
    let clock = ManualClock::new();
    let memory = MemoryProvider::with_clock(clock.clone());
    [TestStore { store: Arc::new(memory), clock, _folder: None }, sled]
}

impl TestStore {
    /// One that a test has opened itself.
    pub(crate) fn of(store: Arc<dyn Provider>, clock: ManualClock) -> Self {
        Self { store, clock, _folder: None }
    }

    /// The folder it is in goes with it.
    pub(crate) fn in_folder(mut self, folder: tempfile::TempDir) -> Self {
        self._folder = Some(folder);
        self
    }

    pub(crate) fn runtime(&self) -> RuntimeBuilder {
        Runtime::builder(Arc::clone(&self.store))
    }

    /// The name of a gate that no other store uses.
    pub(crate) fn named(&self, name: &str) -> String {
        format!("{name} in {}", self.store.capabilities().name)
    }

    /// Waits until so many activities are queued, of which so many are leased.
    pub(crate) async fn activities_are(&self, queued: u64, leased: u64) {
        soon(async {
            loop {
                let stats = self.store.stats().await.unwrap();
                if (stats.activities, stats.activities_leased) == (queued, leased) {
                    return;
                }
                tokio::task::yield_now().await;
            }
        })
        .await;
    }

    /// Nothing waits and nothing is leased.
    pub(crate) async fn is_quiet(&self) -> bool {
        let stats = self.store.stats().await.unwrap();
        (stats.activities, stats.turn_messages, stats.activities_leased) == (0, 0, 0)
    }
}
