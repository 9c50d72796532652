//! A store that notes which instances it hands out, and waits where a test tells it to.

use std::sync::{Arc, Mutex};
use std::time::Duration;

use async_trait::async_trait;
use bytes::Bytes;
use durable_runtime::providers::{
    ActivityRequest, BatchResult, Capabilities, CommitError, ExecutionInfo, InstanceMessages, InstancePage,
    InstanceRecord, KvPage, KvPageRequest, LeasedActivity, LeasedTurn, PageRequest, PassedOver, ProviderError, Renewal,
    Skills, Stats, StoredEvent, Transaction, TurnRequest,
};
use durable_runtime::{EventId, ExecutionId, InstanceId, LockToken, Provider};
use tokio::sync::Semaphore;

/// See the module.
#[derive(Clone)]
pub(super) struct Counted<P> {
    store: P,
    seen: Arc<Seen>,
}

struct Seen {
    turns: Mutex<Vec<InstanceId>>,
    any: Mutex<Vec<InstanceId>>,
    held: Mutex<Option<InstanceId>>,
    stopped: Semaphore,
    go: Semaphore,
}

impl<P> Counted<P> {
    pub(super) fn new(store: P) -> Self {
        let seen = Seen {
            turns: Mutex::default(),
            any: Mutex::default(),
            held: Mutex::default(),
            stopped: Semaphore::new(0),
            go: Semaphore::new(0),
        };
        Self { store, seen: Arc::new(seen) }
    }

    /// How often the instance was handed out.
    pub(super) fn turns_of(&self, id: &str) -> usize {
        self.seen.turns.lock().unwrap().iter().filter(|turn| turn.as_str() == id).count()
    }

    /// The instances that were handed out, in that order.
    pub(super) fn turns(&self) -> Vec<InstanceId> {
        self.seen.turns.lock().unwrap().clone()
    }

    /// How often the instance was handed out to somebody who asked for any.
    pub(super) fn turns_of_any(&self, id: &str) -> usize {
        self.seen.any.lock().unwrap().iter().filter(|turn| turn.as_str() == id).count()
    }

    /// The next load of this instance waits for [`Counted::go`].
    pub(super) fn hold_next_load(&self, id: &str) {
        *self.seen.held.lock().unwrap() = Some(InstanceId::new(id).unwrap());
    }

    /// Waits until a load waits.
    pub(super) async fn load_held(&self) {
        super::kit::soon(self.seen.stopped.acquire()).await.unwrap().forget();
    }

    pub(super) fn go(&self) {
        self.seen.go.add_permits(1);
    }
}

#[async_trait]
impl<P: Provider> Provider for Counted<P> {
    async fn fetch_turns(&self, want: TurnRequest) -> Result<Vec<LeasedTurn>, ProviderError> {
        let any = want.instance.is_none();
        let turns = self.store.fetch_turns(want).await?;
        if any {
            self.seen.any.lock().unwrap().extend(turns.iter().map(|turn| turn.instance.clone()));
        }
        self.seen.turns.lock().unwrap().extend(turns.iter().map(|turn| turn.instance.clone()));
        Ok(turns)
    }

    async fn passed_over(&self, skills: &Skills, limit: usize) -> Result<Vec<PassedOver>, ProviderError> {
        self.store.passed_over(skills, limit).await
    }

    async fn fetch_activities(&self, want: ActivityRequest) -> Result<Vec<LeasedActivity>, ProviderError> {
        self.store.fetch_activities(want).await
    }

    async fn atomic_batch(&self, batch: Transaction) -> Result<BatchResult, CommitError> {
        self.store.atomic_batch(batch).await
    }

    async fn renew(&self, tokens: &[LockToken], ttl: Duration) -> Result<Vec<Renewal>, ProviderError> {
        self.store.renew(tokens, ttl).await
    }

    async fn instance(&self, instance: &InstanceId) -> Result<Option<InstanceRecord>, ProviderError> {
        let held = self.seen.held.lock().unwrap().take_if(|held| held == instance);
        if held.is_some() {
            self.seen.stopped.add_permits(1);
            self.seen.go.acquire().await.unwrap().forget();
        }
        self.store.instance(instance).await
    }

    async fn wait_for_change(
        &self,
        instance: &InstanceId,
        seen: u64,
        wait: Duration,
    ) -> Result<Option<InstanceRecord>, ProviderError> {
        self.store.wait_for_change(instance, seen, wait).await
    }

    async fn history(
        &self,
        instance: &InstanceId,
        execution_id: ExecutionId,
        from: EventId,
        limit: usize,
    ) -> Result<Vec<StoredEvent>, ProviderError> {
        self.store.history(instance, execution_id, from, limit).await
    }

    async fn executions(
        &self,
        instance: &InstanceId,
        from: ExecutionId,
        limit: usize,
    ) -> Result<Vec<ExecutionInfo>, ProviderError> {
        self.store.executions(instance, from, limit).await
    }

    async fn kv(&self, instance: &InstanceId, key: &str) -> Result<Option<Bytes>, ProviderError> {
        self.store.kv(instance, key).await
    }

    async fn kv_page(&self, instance: &InstanceId, page: KvPageRequest) -> Result<KvPage, ProviderError> {
        self.store.kv_page(instance, page).await
    }

    async fn messages(&self, instance: &InstanceId, limit: usize) -> Result<InstanceMessages, ProviderError> {
        self.store.messages(instance, limit).await
    }

    async fn instances(&self, page: PageRequest) -> Result<InstancePage, ProviderError> {
        self.store.instances(page).await
    }

    async fn stats(&self) -> Result<Stats, ProviderError> {
        self.store.stats().await
    }

    fn capabilities(&self) -> Capabilities {
        self.store.capabilities()
    }

    async fn close(&self) {
        self.store.close().await;
    }
}
