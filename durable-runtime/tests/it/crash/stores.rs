//! The stores that are killed.

use std::path::Path;
use std::sync::Arc;
#[cfg(feature = "sqlite")]
use std::time::Duration;

#[cfg(feature = "sqlite")]
use async_trait::async_trait;
#[cfg(feature = "sqlite")]
use bytes::Bytes;
#[cfg(feature = "sqlite")]
use durable_runtime::SqliteProvider;
#[cfg(feature = "sqlite")]
use durable_runtime::providers::{
    ActivityRequest, BatchResult, Capabilities, CommitError, ExecutionInfo, InstanceMessages, InstancePage,
    InstanceRecord, KvPage, KvPageRequest, LeasedActivity, LeasedTurn, PageRequest, PassedOver, ProviderError, Renewal,
    Skills, Stats, StoredEvent, Transaction, TurnRequest,
};
#[cfg(feature = "sqlite")]
use durable_runtime::{EventId, ExecutionId, InstanceId, LockToken};
use durable_runtime::{FsProvider, Provider, SledProvider};

/// A store with the settings under which it is killed.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Store {
    Sled,
    /// With files so small that they are changed, cleaned and put into snapshots all the time.
    Fs,
    /// One file, which two processes may work on at once, with short leases.
    #[cfg(feature = "sqlite")]
    Sqlite,
}

impl Store {
    pub(super) const fn name(self) -> &'static str {
        match self {
            Self::Sled => "sled",
            Self::Fs => "fs",
            #[cfg(feature = "sqlite")]
            Self::Sqlite => "sqlite",
        }
    }

    pub(super) fn named(name: &str) -> Self {
        let all = [
            Self::Sled,
            Self::Fs,
            #[cfg(feature = "sqlite")]
            Self::Sqlite,
        ];
        all.into_iter().find(|store| store.name() == name).unwrap()
    }

    pub(super) fn open(self, folder: &Path) -> Arc<dyn Provider> {
        let folder = folder.join("store");
        match self {
            Self::Sled => Arc::new(SledProvider::open(folder).unwrap()),
            Self::Fs => {
                let options = FsProvider::options().segment_bytes(128 << 10).snapshot_after(256 << 10);
                Arc::new(options.open(folder).unwrap())
            }
            #[cfg(feature = "sqlite")]
            Self::Sqlite => Arc::new(SqliteProvider::open(folder).unwrap()),
        }
    }

    /// As it is opened by what is killed.
    pub(super) fn open_to_work(self, folder: &Path) -> Arc<dyn Provider> {
        match self {
            #[cfg(feature = "sqlite")]
            Self::Sqlite => Arc::new(ShortLeases(self.open(folder))),
            _ => self.open(folder),
        }
    }
}

/// How long leases last where one process works on what another one had. Longer than a step takes; they are not renewed.
#[cfg(feature = "sqlite")]
pub(super) const SHORT: Duration = Duration::from_millis(600);

/// A store whose leases are short, so that a process can be stopped for longer than that.
#[cfg(feature = "sqlite")]
struct ShortLeases(Arc<dyn Provider>);

#[cfg(feature = "sqlite")]
#[async_trait]
impl Provider for ShortLeases {
    async fn fetch_turns(&self, want: TurnRequest) -> Result<Vec<LeasedTurn>, ProviderError> {
        self.0.fetch_turns(TurnRequest { ttl: SHORT, ..want }).await
    }

    async fn passed_over(&self, skills: &Skills, limit: usize) -> Result<Vec<PassedOver>, ProviderError> {
        self.0.passed_over(skills, limit).await
    }

    async fn fetch_activities(&self, want: ActivityRequest) -> Result<Vec<LeasedActivity>, ProviderError> {
        self.0.fetch_activities(ActivityRequest { ttl: SHORT, ..want }).await
    }

    async fn atomic_batch(&self, batch: Transaction) -> Result<BatchResult, CommitError> {
        self.0.atomic_batch(batch).await
    }

    async fn renew(&self, tokens: &[LockToken], _ttl: Duration) -> Result<Vec<Renewal>, ProviderError> {
        self.0.renew(tokens, SHORT).await
    }

    async fn instance(&self, instance: &InstanceId) -> Result<Option<InstanceRecord>, ProviderError> {
        self.0.instance(instance).await
    }

    async fn wait_for_change(
        &self,
        instance: &InstanceId,
        seen: u64,
        wait: Duration,
    ) -> Result<Option<InstanceRecord>, ProviderError> {
        self.0.wait_for_change(instance, seen, wait).await
    }

    async fn history(
        &self,
        instance: &InstanceId,
        execution_id: ExecutionId,
        from: EventId,
        limit: usize,
    ) -> Result<Vec<StoredEvent>, ProviderError> {
        self.0.history(instance, execution_id, from, limit).await
    }

    async fn executions(
        &self,
        instance: &InstanceId,
        from: ExecutionId,
        limit: usize,
    ) -> Result<Vec<ExecutionInfo>, ProviderError> {
        self.0.executions(instance, from, limit).await
    }

    async fn kv(&self, instance: &InstanceId, key: &str) -> Result<Option<Bytes>, ProviderError> {
        self.0.kv(instance, key).await
    }

    async fn kv_page(&self, instance: &InstanceId, page: KvPageRequest) -> Result<KvPage, ProviderError> {
        self.0.kv_page(instance, page).await
    }

    async fn messages(&self, instance: &InstanceId, limit: usize) -> Result<InstanceMessages, ProviderError> {
        self.0.messages(instance, limit).await
    }

    async fn instances(&self, page: PageRequest) -> Result<InstancePage, ProviderError> {
        self.0.instances(page).await
    }

    async fn stats(&self) -> Result<Stats, ProviderError> {
        self.0.stats().await
    }

    fn capabilities(&self) -> Capabilities {
        self.0.capabilities()
    }

    async fn close(&self) {
        self.0.close().await;
    }
}
