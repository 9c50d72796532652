//! The port over a database.

use std::fmt;
use std::marker::PhantomData;
use std::panic::{AssertUnwindSafe, catch_unwind};
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::{Arc, Mutex};
use std::thread::JoinHandle;
use std::time::Duration;

use async_trait::async_trait;
use bytes::Bytes;
use tokio::sync::oneshot;

use super::inbox::{Granted, Inbox, Job, Reply};
use super::list;
use super::read;
use super::readers::{Connect, Readers};
use super::session::{Session, SqlError};
use super::skills;
use super::writer::{Dialect, Writer};
use crate::clock::{Clock, Timestamp};
use crate::ids::{EventId, ExecutionId, InstanceId, LockToken};
use crate::providers::groups::{GroupCounter, Groups};
use crate::providers::waiters::{Awaited, Patience, Waiters, Waiting, locked};
use crate::providers::{
    ActivityRequest, BatchResult, Capabilities, CommitError, ErrorKind, ExecutionInfo, InstanceMessages, InstancePage,
    InstanceRecord, KvPage, KvPageRequest, LeasedActivity, LeasedTurn, PageRequest, PassedOver, Provider,
    ProviderError, Renewal, Skills, Stats, StoredEvent, Transaction, TurnRequest,
};

/// A provider over a database; `D` says which. Clones are handles to one opening of the store, which is closed with the
/// last of them or by [`Provider::close`].
pub struct SqlProvider<D> {
    engine: Arc<Engine>,
    dialect: PhantomData<fn() -> D>,
}

/// What the writer and the callers share.
pub(super) struct Shared {
    pub(super) inbox: Inbox,
    pub(super) readers: Arc<Readers>,
    pub(super) waiters: Waiters,
    pub(super) clock: Arc<dyn Clock>,
    pub(super) groups: GroupCounter,
    closed: AtomicBool,
}

struct Engine {
    shared: Arc<Shared>,
    capabilities: Capabilities,
    writer: Mutex<Option<JoinHandle<()>>>,
    connect: Arc<Connect>,
    /// The clock knows it weakly: it is deaf once this is gone.
    _bell: Arc<dyn Fn() + Send + Sync>,
}

impl Shared {
    pub(super) fn wake_fetchers(&self, turns: bool, activities: bool) {
        if turns {
            self.waiters.wake(&Awaited::Turns);
        }
        if activities {
            self.waiters.wake(&Awaited::Activities);
        }
    }

    /// The writer is gone, and files and locks with it.
    pub(super) fn closed(&self) {
        self.inbox.abandon();
        self.readers.close();
        self.closed.store(true, Ordering::SeqCst);
        self.waiters.wake_all();
    }
}

impl Waiting for Shared {
    fn waiters(&self) -> &Waiters {
        &self.waiters
    }

    fn clock(&self) -> &dyn Clock {
        &*self.clock
    }

    fn due(&self, _deadline: Timestamp) {
        self.inbox.ring();
    }
}

impl<D> SqlProvider<D> {
    /// Starts the engine over a database that was just opened.
    ///
    /// # Errors
    /// The error of the system if no thread can be started.
    pub(super) fn start(
        session: Box<dyn Session>,
        dialect: Box<dyn Dialect>,
        connect: Arc<Connect>,
        clock: Arc<dyn Clock>,
        capabilities: Capabilities,
    ) -> std::io::Result<Self> {
        let (readers, closed) = (Arc::<Readers>::default(), AtomicBool::new(false));
        let (inbox, waiters) = (Inbox::default(), Waiters::default());
        let shared = Arc::new(Shared { inbox, readers, waiters, clock, groups: GroupCounter::default(), closed });
        let bell = ring_on_change(&shared);
        let reading = shared.readers.start(&connect)?;
        let writer = Writer::new(shared.clone(), session, dialect, connect.clone(), capabilities.durability);
        let after = shared.clone();
        let run = move || {
            let ended = catch_unwind(AssertUnwindSafe(|| writer.run(reading)));
            if ended.is_err() {
                tracing::error!("the writer panicked; the store is closed");
            }
            after.closed();
        };
        let thread = std::thread::Builder::new().name("durable-write".to_owned()).spawn(run)?;
        let engine = Engine { shared, capabilities, writer: Mutex::new(Some(thread)), connect, _bell: bell };
        Ok(Self { engine: Arc::new(engine), dialect: PhantomData })
    }

    pub(super) fn shared(&self) -> &Arc<Shared> {
        &self.engine.shared
    }

    /// Works on a connection of its own, on a thread that may wait.
    pub(super) async fn aside<T: Send + 'static>(
        &self,
        operation: &'static str,
        work: impl FnOnce(&mut dyn Session) -> Result<T, SqlError> + Send + 'static,
    ) -> Result<T, ProviderError> {
        if self.shared().closed.load(Ordering::SeqCst) {
            return Err(SqlError::closed().during(operation));
        }
        let (connect, (reply, answer)) = (self.engine.connect.clone(), oneshot::channel());
        let run = move || {
            let done = connect().and_then(|mut session| work(&mut *session));
            // Nobody waits any more: it is done nevertheless.
            let _gone = reply.send(done.map_err(|error| error.during(operation)));
        };
        let thread = std::thread::Builder::new().name("durable-upkeep".to_owned()).spawn(run);
        thread.map_err(|error| SqlError::new(ErrorKind::Unavailable, error).during(operation))?;
        let panicked = || ProviderError::new(ErrorKind::Unavailable, operation, "it panicked");
        answer.await.unwrap_or_else(|_| Err(panicked()))
    }

    /// Hands a job to the writer and waits for the answer.
    async fn ask<T>(
        &self,
        operation: &'static str,
        job: impl FnOnce(Reply<Result<T, ProviderError>>) -> Job,
    ) -> Result<T, ProviderError> {
        let (reply, answer) = oneshot::channel();
        self.shared().inbox.push(job(reply)).map_err(|error| error.during(operation))?;
        answer.await.unwrap_or_else(|_| Err(SqlError::closed().during(operation)))
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
        if let Some(thread) = locked(&self.writer).take() {
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
impl<D: 'static> Provider for SqlProvider<D> {
    async fn fetch_turns(&self, want: TurnRequest) -> Result<Vec<LeasedTurn>, ProviderError> {
        let wait = if want.instance.is_some() { Duration::ZERO } else { want.wait };
        let mut patience = Patience::new(&**self.shared(), Awaited::Turns, wait);
        loop {
            let found = self.ask("fetch turns", |reply| Job::Turns(want.clone(), reply)).await.map(Granted::seen)?;
            if !found.is_empty() || !patience.look_again().await {
                return Ok(found);
            }
        }
    }

    async fn passed_over(&self, skills: &Skills, limit: usize) -> Result<Vec<PassedOver>, ProviderError> {
        // Leases that have expired end when the writer looks, and it looks when it is asked for something.
        self.ask("list what is passed over", |reply| Job::Renew(Vec::new(), Duration::ZERO, reply)).await?;
        let (skills, now) = (skills.clone(), self.shared().clock.now());
        let readers = &self.shared().readers;
        readers.read("list what is passed over", move |sql| skills::passed_over(sql, &skills, limit, now)).await
    }

    async fn fetch_activities(&self, want: ActivityRequest) -> Result<Vec<LeasedActivity>, ProviderError> {
        let mut patience = Patience::new(&**self.shared(), Awaited::Activities, want.wait);
        loop {
            let asked = self.ask("fetch activities", |reply| Job::Activities(want.clone(), reply));
            let found = asked.await.map(Granted::seen)?;
            if !found.is_empty() || !patience.look_again().await {
                return Ok(found);
            }
        }
    }

    async fn atomic_batch(&self, transaction: Transaction) -> Result<BatchResult, CommitError> {
        let (reply, answer) = oneshot::channel();
        self.shared().inbox.push(Job::Commit(transaction, reply)).map_err(|error| error.during("commit"))?;
        answer.await.unwrap_or_else(|_| {
            let message = "the store was closed before it answered";
            Err(ProviderError::new(ErrorKind::Ambiguous, "commit", message).into())
        })
    }

    async fn renew(&self, tokens: &[LockToken], ttl: Duration) -> Result<Vec<Renewal>, ProviderError> {
        self.ask("renew", |reply| Job::Renew(tokens.to_vec(), ttl, reply)).await
    }

    async fn instance(&self, instance: &InstanceId) -> Result<Option<InstanceRecord>, ProviderError> {
        let id = instance.clone();
        self.shared().readers.read("read instance", move |sql| read::instance(sql, &id)).await
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
        let readers = &self.shared().readers;
        readers.read("read history", move |sql| read::history(sql, &id, execution_id, from, limit)).await
    }

    async fn executions(
        &self,
        instance: &InstanceId,
        from: ExecutionId,
        limit: usize,
    ) -> Result<Vec<ExecutionInfo>, ProviderError> {
        let id = instance.clone();
        let readers = &self.shared().readers;
        readers.read("list executions", move |sql| list::executions(sql, &id, from, limit)).await
    }

    async fn kv(&self, instance: &InstanceId, key: &str) -> Result<Option<Bytes>, ProviderError> {
        let (id, key) = (instance.clone(), key.to_owned());
        self.shared().readers.read("read value", move |sql| list::entry(sql, &id, &key)).await
    }

    async fn kv_page(&self, instance: &InstanceId, page: KvPageRequest) -> Result<KvPage, ProviderError> {
        let id = instance.clone();
        self.shared().readers.read("read values", move |sql| list::entries(sql, &id, &page)).await
    }

    async fn messages(&self, instance: &InstanceId, limit: usize) -> Result<InstanceMessages, ProviderError> {
        let (id, now) = (instance.clone(), self.shared().clock.now());
        self.shared().readers.read("list messages", move |sql| list::messages(sql, &id, limit, now)).await
    }

    async fn instances(&self, page: PageRequest) -> Result<InstancePage, ProviderError> {
        self.shared().readers.read("list instances", move |sql| list::instances(sql, &page)).await
    }

    async fn stats(&self) -> Result<Stats, ProviderError> {
        let now = self.shared().clock.now();
        self.shared().readers.read("count", move |sql| read::stats(sql, now)).await
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
        while !shared.closed.load(Ordering::SeqCst) {
            waiter.woken().await;
        }
        self.engine.join();
    }
}

impl<D> Clone for SqlProvider<D> {
    fn clone(&self) -> Self {
        Self { engine: self.engine.clone(), dialect: PhantomData }
    }
}

impl<D> fmt::Debug for SqlProvider<D> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("SqlProvider").field("name", &self.engine.capabilities.name).finish_non_exhaustive()
    }
}
