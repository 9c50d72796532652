//! The port over an ordered store.

use std::fmt;
use std::marker::PhantomData;
use std::panic::{AssertUnwindSafe, catch_unwind};
use std::sync::{Arc, Mutex};
use std::thread::JoinHandle;
use std::time::Duration;

use async_trait::async_trait;
use bytes::Bytes;
use tokio::sync::oneshot;

use super::committer::Committer;
use super::fetch;
use super::gate::{Reach, locked};
use super::inbox::Submitted;
use super::list;
use super::read;
use super::recover::Recovered;
use super::shared::Shared;
use super::skills;
use super::store::{Opener, OrderedStore, StoreError};
use super::waiters::{Awaited, Patience};
use crate::clock::{Clock, Timestamp};
use crate::ids::{EventId, ExecutionId, InstanceId, LockToken};
use crate::providers::groups::Groups;
use crate::providers::{
    ActivityRequest, BatchResult, Capabilities, CommitError, ErrorKind, ExecutionInfo, InstanceMessages, InstancePage,
    InstanceRecord, KvPage, KvPageRequest, LeasedActivity, LeasedTurn, PageRequest, PassedOver, Provider,
    ProviderError, Renewal, Skills, Stats, StoredEvent, Transaction, TurnRequest,
};

/// A provider over ordered keys; `A` says which. Clones are handles to one store, which is closed with the last of
/// them or by [`Provider::close`].
pub struct KvProvider<A> {
    engine: Arc<Engine>,
    adapter: PhantomData<fn() -> A>,
}

struct Engine {
    shared: Arc<Shared>,
    capabilities: Capabilities,
    committer: Mutex<Option<JoinHandle<()>>>,
    /// The clock knows it weakly: it is deaf once this is gone.
    _bell: Arc<dyn Fn() + Send + Sync>,
}

impl<A> KvProvider<A> {
    /// Starts the engine over a store that was just opened and read.
    ///
    /// # Errors
    /// The error of the system if no thread can be started.
    pub(super) fn start(
        opener: Box<dyn Opener>,
        (store, recovered): (Box<dyn OrderedStore>, Recovered),
        clock: Arc<dyn Clock>,
        capabilities: Capabilities,
    ) -> std::io::Result<Self> {
        let Recovered { index, recent, sequence } = recovered;
        let shared = Arc::new(Shared::new(store, index, clock));
        let bell = ring_on_change(&shared);
        let committer = Committer::new(shared.clone(), opener, (recent, sequence), capabilities.durability);
        let after = shared.clone();
        let run = move || {
            let ended = catch_unwind(AssertUnwindSafe(|| committer.run()));
            if ended.is_err() {
                tracing::error!("the committer panicked; the store is closed");
                after.closed();
            }
        };
        let thread = std::thread::Builder::new().name("durable-commit".to_owned()).spawn(run)?;
        let engine = Engine { shared, capabilities, committer: Mutex::new(Some(thread)), _bell: bell };
        Ok(Self { engine: Arc::new(engine), adapter: PhantomData })
    }

    /// Makes the files of the store as small as they can be; all else waits meanwhile.
    pub(super) async fn compact_store(&self) -> Result<(), ProviderError> {
        let (reply, answer) = oneshot::channel();
        self.shared().inbox.compact(reply).map_err(|error| error.during("compact"))?;
        answer.await.unwrap_or_else(|_| Err(StoreError::Closed.during("compact")))
    }

    pub(super) fn shared(&self) -> &Arc<Shared> {
        &self.engine.shared
    }

    /// Waits until nobody holds a lease and nothing waits that could be leased: turns for which `skills` are enough, or
    /// the activities that `served` asks for. Answers when the next thing comes due.
    #[cfg(feature = "testing")]
    pub(crate) async fn settled(&self, skills: &Skills, served: &ActivityRequest) -> Option<Timestamp> {
        let waiter = self.shared().waiters.register(Awaited::Commit, Timestamp::MAX);
        loop {
            if let Some(next) = self.shared().with_index(|index, now| index.settled(skills, served, now)) {
                return next;
            }
            waiter.woken().await;
        }
    }
}

fn ring_on_change(shared: &Arc<Shared>) -> Arc<dyn Fn() + Send + Sync> {
    let weak = Arc::downgrade(shared);
    let bell: Arc<dyn Fn() + Send + Sync> = Arc::new(move || {
        if let Some(shared) = weak.upgrade() {
            shared.inbox.ring();
        }
    });
    shared.clock.watch(Arc::downgrade(&bell));
    bell
}

impl Engine {
    fn join(&self) {
        if let Some(thread) = locked(&self.committer).take() {
            // It has caught its own panics and said so.
            let _ended = thread.join();
        }
    }
}

impl Drop for Engine {
    fn drop(&mut self) {
        self.shared.inbox.close();
        self.join();
    }
}

#[async_trait]
impl<A: 'static> Provider for KvProvider<A> {
    async fn fetch_turns(&self, want: TurnRequest) -> Result<Vec<LeasedTurn>, ProviderError> {
        fetch::turns(self.shared(), want).await
    }

    async fn passed_over(&self, skills: &Skills, limit: usize) -> Result<Vec<PassedOver>, ProviderError> {
        skills::passed_over(self.shared(), skills, limit).await
    }

    async fn fetch_activities(&self, want: ActivityRequest) -> Result<Vec<LeasedActivity>, ProviderError> {
        fetch::activities(self.shared(), want).await
    }

    async fn atomic_batch(&self, transaction: Transaction) -> Result<BatchResult, CommitError> {
        let (reply, answer) = oneshot::channel();
        let submitted = Submitted { transaction, reply };
        self.shared().inbox.commit(submitted).map_err(|error| error.during("commit"))?;
        answer.await.unwrap_or_else(|_| {
            let message = "the store was closed before it answered";
            Err(ProviderError::new(ErrorKind::Ambiguous, "commit", message).into())
        })
    }

    async fn renew(&self, tokens: &[LockToken], ttl: Duration) -> Result<Vec<Renewal>, ProviderError> {
        self.shared().gate.check().map_err(|error| error.during("renew"))?;
        let renew = |token| self.shared().with_index(|index, now| index.renew(token, ttl, now));
        Ok(tokens.iter().map(renew).collect())
    }

    async fn instance(&self, instance: &InstanceId) -> Result<Option<InstanceRecord>, ProviderError> {
        let id = instance.clone();
        let read = move |store: &dyn OrderedStore| read::instance(&id, |key| store.get(key));
        let found = self.shared().read("read instance", Reach::Instances(vec![instance.clone()]), read).await?;
        Ok(found.map(|(record, _)| record))
    }

    async fn wait_for_change(
        &self,
        instance: &InstanceId,
        seen: u64,
        wait: Duration,
    ) -> Result<Option<InstanceRecord>, ProviderError> {
        let mut patience = Patience::new(&**self.shared(), Awaited::Change(instance.clone()), wait);
        loop {
            let record = self.instance(instance).await?;
            let revision = record.as_ref().map_or(0, |record| record.revision);
            if revision != seen || !patience.look_again().await {
                return Ok(record);
            }
        }
    }

    async fn history(
        &self,
        instance: &InstanceId,
        execution_id: ExecutionId,
        from: EventId,
        limit: usize,
    ) -> Result<Vec<StoredEvent>, ProviderError> {
        let id = instance.clone();
        let read = move |store: &dyn OrderedStore| read::history(store, &id, execution_id, from, limit);
        self.shared().read("read history", Reach::Instances(vec![instance.clone()]), read).await
    }

    async fn executions(
        &self,
        instance: &InstanceId,
        from: ExecutionId,
        limit: usize,
    ) -> Result<Vec<ExecutionInfo>, ProviderError> {
        let id = instance.clone();
        let read = move |store: &dyn OrderedStore| read::executions(store, &id, from, limit);
        self.shared().read("list executions", Reach::Instances(vec![instance.clone()]), read).await
    }

    async fn kv(&self, instance: &InstanceId, key: &str) -> Result<Option<Bytes>, ProviderError> {
        let (id, key) = (instance.clone(), key.to_owned());
        let read = move |store: &dyn OrderedStore| read::entry(store, &id, &key);
        self.shared().read("read value", Reach::Instances(vec![instance.clone()]), read).await
    }

    async fn kv_page(&self, instance: &InstanceId, page: KvPageRequest) -> Result<KvPage, ProviderError> {
        let id = instance.clone();
        let read = move |store: &dyn OrderedStore| read::entries(store, &id, &page);
        self.shared().read("read values", Reach::Instances(vec![instance.clone()]), read).await
    }

    async fn messages(&self, instance: &InstanceId, limit: usize) -> Result<InstanceMessages, ProviderError> {
        list::messages(self.shared(), instance, limit).await
    }

    async fn instances(&self, page: PageRequest) -> Result<InstancePage, ProviderError> {
        list::page(self.shared(), page).await
    }

    async fn stats(&self) -> Result<Stats, ProviderError> {
        self.shared().gate.check().map_err(|error| error.during("count"))?;
        Ok(self.shared().with_index(|index, _| index.stats()))
    }

    fn groups(&self) -> Groups {
        self.shared().groups.read()
    }

    fn capabilities(&self) -> Capabilities {
        self.engine.capabilities
    }

    async fn close(&self) {
        let shared = self.shared();
        let waiter = shared.waiters.register(Awaited::Closed, Timestamp::MAX);
        shared.inbox.close();
        while !shared.is_closed() {
            waiter.woken().await;
        }
        self.engine.join();
    }
}

impl<A> Clone for KvProvider<A> {
    fn clone(&self) -> Self {
        Self { engine: self.engine.clone(), adapter: PhantomData }
    }
}

impl<A> fmt::Debug for KvProvider<A> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("KvProvider").field("name", &self.engine.capabilities.name).finish_non_exhaustive()
    }
}
