//! A runtime: what is started, and how it ends.

use std::collections::BTreeMap;
use std::sync::mpsc::channel;
use std::sync::{Arc, Mutex};
use std::thread::{self, JoinHandle};
use std::time::Duration;

use tokio::runtime::{Builder, Handle};
use tokio::sync::{Semaphore, mpsc};
use tokio::task::AbortHandle;
use uuid::Uuid;

use super::activities::{UNSETTLED_MAX, Workers};
use super::builder::{RuntimeBuilder, StartError};
use super::door::{Door, ShardHandle};
use super::fetch;
use super::leases::{self, Leases};
use super::shard::{self, CommitIds, Shard};
use super::suspended::Suspended;
use super::turn::Rules;
use crate::client::Client;
use crate::providers::{OwnerId, Provider};
use crate::registry::Registry;
use crate::replay::panics;

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
    provider: Arc<dyn Provider>,
    client: Client,
    door: Arc<Door>,
    workers: Arc<Workers>,
    engine: Handle,
    tasks: Vec<AbortHandle>,
    threads: Vec<JoinHandle<()>>,
    keep_store_open: bool,
}

impl Runtime {
    /// Settings of a runtime on this store, which it closes when it is shut down.
    pub fn builder(store: impl Provider) -> RuntimeBuilder {
        RuntimeBuilder::new(Arc::new(store))
    }

    /// A client of this runtime. Cheap; clone it freely.
    pub fn client(&self) -> Client {
        self.client.clone()
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

    pub(super) fn start(builder: RuntimeBuilder, registry: Arc<Registry>) -> Result<Self, StartError> {
        let application = Handle::try_current().map_err(|_| StartError::NoTokio)?;
        panics::install_hook();
        let provider = Arc::clone(&builder.provider);
        let limits = builder.limits;
        let owner = OwnerId::new(Uuid::new_v4().to_string());
        let (leases, suspended): (Arc<Leases>, Arc<Suspended>) = Default::default();
        let (engine, alive, engine_thread) = spawn_engine()?;
        let rules = Rules { registry: Arc::clone(&registry), limits, shared: provider.capabilities().shared };
        let mut threads = vec![engine_thread];
        let mut shards = Vec::with_capacity(builder.shards);
        for number in 0..builder.shards {
            let shard = Shard {
                provider: Arc::clone(&provider),
                owner: owner.clone(),
                rules: rules.clone(),
                suspended: Arc::clone(&suspended),
                leases: Arc::clone(&leases),
                engine: engine.clone(),
                live_max: builder.live_max,
                commit_ids: CommitIds::fresh(),
            };
            let (handle, thread) = spawn_shard(number, shard, alive.clone())?;
            shards.push(handle);
            threads.push(thread);
        }
        let door = Arc::new(Door::new(shards, registry, suspended));
        let client = Client::of_runtime(Arc::clone(&provider), Arc::clone(&door), limits);
        let workers = Arc::new(Workers {
            provider: Arc::clone(&provider),
            door: Arc::clone(&door),
            leases: Arc::clone(&leases),
            states: Arc::new(builder.states),
            limits,
            client: client.clone(),
            application,
            slots: Arc::new(Semaphore::new(builder.activities_max as usize)),
            slots_max: builder.activities_max,
            unsettled: Arc::new(Semaphore::new(UNSETTLED_MAX as usize)),
            tags: builder.tags.into(),
            running: Mutex::new(BTreeMap::new()),
        });
        let tasks = vec![
            engine.spawn(fetch::turns(Arc::clone(&provider), owner.clone(), Arc::clone(&door))).abort_handle(),
            // Where bodies run: one thread less to wake for each, and without a free thread none could run anyway.
            workers
                .application
                .spawn(fetch::activities(Arc::clone(&provider), owner, Arc::clone(&workers)))
                .abort_handle(),
            engine.spawn(leases::renew(Arc::clone(&provider), leases)).abort_handle(),
        ];
        Ok(Self { provider, client, door, workers, engine, tasks, threads, keep_store_open: builder.keep_store_open })
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

/// The thread of the engine: it runs what no user code may block. It ends when every shard has.
fn spawn_engine() -> Result<(Handle, mpsc::Sender<()>, JoinHandle<()>), StartError> {
    let runtime = Builder::new_current_thread().enable_all().build().map_err(StartError::Thread)?;
    let handle = runtime.handle().clone();
    let (alive, mut all_ended) = mpsc::channel::<()>(1);
    let body = move || {
        let _ = runtime.block_on(all_ended.recv());
    };
    let thread = thread::Builder::new().name("durable-engine".to_owned()).spawn(body).map_err(StartError::Thread)?;
    Ok((handle, alive, thread))
}

fn spawn_shard(
    number: usize,
    shard: Shard,
    alive: mpsc::Sender<()>,
) -> Result<(ShardHandle, JoinHandle<()>), StartError> {
    let (inbox, receiver) = channel();
    let body = move || {
        shard::run(shard, &receiver);
        drop(alive);
    };
    let name = format!("durable-shard-{number}");
    let thread = thread::Builder::new().name(name).spawn(body).map_err(StartError::Thread)?;
    Ok((ShardHandle { inbox, thread: thread.thread().clone() }, thread))
}

impl CommitIds {
    fn fresh() -> Self {
        // The low half counts, the high half is chance: no two shards of any process meet.
        Self(Uuid::new_v4().as_u128() & !u128::from(u64::MAX))
    }
}
