//! A store of one's own: everything in memory, behind one lock.
//!
//! What transactions, queues and leases mean is a value here, [`Model`]; a real store has tables or keys in its place, and
//! compares itself with it. What is left is what every store has to add, and that is all there is to see: one lock, a
//! clock, waiting without asking again and again, and an end.

use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::Duration;

use async_trait::async_trait;
use bytes::Bytes;
use durable_runtime::providers::*;
use durable_runtime::testing::Model;
use durable_runtime::{Clock, EventId, ExecutionId, InstanceId, LockToken, Timestamp};
use tokio::sync::watch;

/// Keeps instances as long as it lives. Clones are the same store.
#[derive(Clone)]
pub(crate) struct Shelf(Arc<State>);

struct State {
    /// `None` once it is closed. A transaction is made on a copy, which takes this place if all of it is good.
    kept: Mutex<Option<Model>>,
    clock: Arc<dyn Clock>,
    /// Counts what may be news to somebody who waits.
    news: watch::Sender<u64>,
    /// The clock knows it weakly, and rings when it is set instead of passing.
    bell: Arc<dyn Fn() + Send + Sync>,
}

type Answer<T> = Result<T, ProviderError>;

impl Shelf {
    pub(crate) fn new(clock: impl Clock) -> Self {
        let news = watch::Sender::new(0);
        let rung = news.clone();
        let bell: Arc<dyn Fn() + Send + Sync> = Arc::new(move || rung.send_modify(|count| *count += 1));
        clock.watch(Arc::downgrade(&bell));
        Self(Arc::new(State { kept: Mutex::new(Some(Model::new())), clock: Arc::new(clock), news, bell }))
    }

    fn lock(&self) -> MutexGuard<'_, Option<Model>> {
        // A panic elsewhere leaves whole values behind: a transaction takes its place in one step.
        self.0.kept.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// Does this with what is kept, at this moment of the store's clock.
    fn with<T>(&self, operation: &'static str, work: impl FnOnce(&mut Model, Timestamp) -> T) -> Answer<T> {
        let mut kept = self.lock();
        let model = kept.as_mut().ok_or_else(|| ProviderError::new(ErrorKind::Closed, operation, "it was closed"))?;
        Ok(work(model, self.0.clock.now()))
    }

    /// Looks until it has seen enough, or `wait` is over; sleeps until something is written or comes due.
    ///
    /// Between a lease and its answer there is no `await`, so a caller that goes away never takes a lease along.
    async fn until<T>(
        &self,
        operation: &'static str,
        wait: Duration,
        look: impl Fn(&mut Model, Timestamp) -> T,
        enough: impl Fn(&T) -> bool,
    ) -> Answer<T> {
        let deadline = self.0.clock.now().saturating_add(wait);
        // Before the first look, so that nothing is missed between looking and sleeping.
        let mut news = self.0.news.subscribe();
        loop {
            news.mark_unchanged();
            let (seen, now, next) =
                self.with(operation, |model, now| (look(model, now), now, model.next_change(now)))?;
            if enough(&seen) || now >= deadline {
                return Ok(seen);
            }
            let nap = next.unwrap_or(deadline).min(deadline).saturating_since(now);
            // Either way it looks again.
            let _woken = tokio::time::timeout(nap, news.changed()).await;
        }
    }
}

#[async_trait]
impl Provider for Shelf {
    async fn fetch_turns(&self, want: TurnRequest) -> Answer<Vec<LeasedTurn>> {
        let wait = if want.instance.is_some() { Duration::ZERO } else { want.wait };
        self.until("fetch turns", wait, |model, now| model.fetch_turns(&want, now), |turns| !turns.is_empty()).await
    }

    async fn passed_over(&self, skills: &Skills, limit: usize) -> Answer<Vec<PassedOver>> {
        self.with("list what is passed over", |model, now| model.passed_over(skills, limit, now))
    }

    async fn fetch_activities(&self, want: ActivityRequest) -> Answer<Vec<LeasedActivity>> {
        let look = |model: &mut Model, now| model.fetch_activities(&want, now);
        self.until("fetch activities", want.wait, look, |activities| !activities.is_empty()).await
    }

    async fn atomic_batch(&self, batch: Transaction) -> Result<BatchResult, CommitError> {
        let kept = self.with("commit", |model, now| model.commit(&batch, now))?;
        (self.0.bell)();
        kept
    }

    async fn renew(&self, tokens: &[LockToken], ttl: Duration) -> Answer<Vec<Renewal>> {
        self.with("renew", |model, now| model.renew(tokens, ttl, now))
    }

    async fn instance(&self, id: &InstanceId) -> Answer<Option<InstanceRecord>> {
        self.with("read instance", |model, _| model.instance(id))
    }

    async fn wait_for_change(&self, id: &InstanceId, seen: u64, wait: Duration) -> Answer<Option<InstanceRecord>> {
        let changed = |record: &Option<InstanceRecord>| record.as_ref().map_or(0, |record| record.revision) != seen;
        self.until("wait for change", wait, |model, _| model.instance(id), changed).await
    }

    async fn history(&self, id: &InstanceId, of: ExecutionId, from: EventId, max: usize) -> Answer<Vec<StoredEvent>> {
        self.with("read history", |model, _| model.history(id, of, from, max))
    }

    async fn instances(&self, page: PageRequest) -> Answer<InstancePage> {
        self.with("list instances", |model, _| model.instances(&page))
    }

    async fn executions(&self, id: &InstanceId, from: ExecutionId, max: usize) -> Answer<Vec<ExecutionInfo>> {
        self.with("list executions", |model, _| model.executions(id, from, max))
    }

    async fn kv(&self, id: &InstanceId, key: &str) -> Answer<Option<Bytes>> {
        self.with("read value", |model, _| model.kv(id, key))
    }

    async fn kv_page(&self, id: &InstanceId, page: KvPageRequest) -> Answer<KvPage> {
        self.with("list values", |model, _| model.kv_page(id, &page))
    }

    async fn messages(&self, id: &InstanceId, max: usize) -> Answer<InstanceMessages> {
        self.with("list messages", |model, now| model.messages(id, max, now))
    }

    async fn stats(&self) -> Answer<Stats> {
        self.with("count", |model, now| model.stats(now))
    }

    fn capabilities(&self) -> Capabilities {
        Capabilities::new("shelf")
    }

    async fn close(&self) {
        *self.lock() = None;
        // Whoever waits looks again, and hears that it was closed.
        (self.0.bell)();
    }
}
