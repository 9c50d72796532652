//! Starting a runtime: its threads and its tasks, in the order in which they need each other.

use std::collections::BTreeMap;
use std::sync::atomic::AtomicU64;
use std::sync::mpsc::channel;
use std::sync::{Arc, Mutex, OnceLock};
use std::thread::{self, JoinHandle};

use tokio::runtime::{Builder, Handle};
use tokio::sync::{Semaphore, mpsc};
use tokio::task::AbortHandle;
use uuid::Uuid;

use super::activities::{UNSETTLED_MAX, Workers};
use super::builder::{RuntimeBuilder, StartError};
use super::caps::Caps;
use super::door::{Door, ShardHandle};
use super::double_check::DoubleCheck;
use super::fetch;
use super::leases::{self, Leases};
use super::runtime::Runtime;
use super::shard::{self, CommitIds, Shard};
use super::supervised::Supervisor;
use super::suspended::Suspended;
use super::turn::Rules;
use super::under_way::UnderWay;
use super::unserved;
use super::watchdog::{self, Watch};
use crate::client::Client;
use crate::management::keep_retention;
use crate::observe::Meter;
use crate::providers::OwnerId;
use crate::registry::Registry;
use crate::replay::panics;

/// What all parts of a runtime share while it is put together.
struct Start {
    builder: RuntimeBuilder,
    registry: Arc<Registry>,
    application: Handle,
    engine: Handle,
    owner: OwnerId,
    leases: Arc<Leases>,
    under_way: Arc<UnderWay>,
    suspended: Arc<Suspended>,
    trials: Arc<Semaphore>,
    workers: Arc<OnceLock<Arc<Workers>>>,
    meter: Arc<Meter>,
    watches: Vec<Watch>,
    threads: Vec<JoinHandle<()>>,
}

/// Starts a runtime.
pub(super) fn start(builder: RuntimeBuilder, registry: Arc<Registry>) -> Result<Runtime, StartError> {
    let application = Handle::try_current().map_err(|_| StartError::NoTokio)?;
    panics::install_hook();
    let (engine, alive, thread) = spawn_engine()?;
    let under_way = Arc::new(UnderWay::default());
    let meter = Arc::new(Meter::new(Arc::clone(&builder.clock)));
    let mut start = Start {
        meter: Arc::clone(&meter),
        builder,
        registry,
        application,
        engine,
        owner: OwnerId::new(Uuid::new_v4().to_string()),
        leases: Arc::new(Leases::new(Arc::clone(&under_way))),
        under_way,
        suspended: Arc::default(),
        trials: Arc::new(Semaphore::new(1)),
        workers: Arc::default(),
        watches: Vec::new(),
        threads: vec![thread],
    };
    let shards = start.shards(&alive)?;
    let door = Arc::new(Door::new(
        shards,
        Arc::clone(&start.registry),
        Arc::clone(&start.suspended),
        Arc::clone(&start.under_way),
        start.builder.tags.clone().into(),
    ));
    let provider = Arc::clone(&start.builder.provider);
    let client = Client::of_runtime(
        Arc::clone(&provider),
        Arc::clone(&door),
        start.builder.limits,
        start.builder.trace_source.clone(),
    );
    let workers = start.new_workers(&door, &client);
    // No shard has heard anything yet.
    let workers = Arc::clone(start.workers.get_or_init(|| workers));
    let mut tasks = start.tasks(&door, &workers);
    for retention in &start.builder.retention {
        tasks.push(start.engine.spawn(keep_retention(client.clone(), *retention)).abort_handle());
    }
    let Start { builder, engine, threads, .. } = start;
    let keep_store_open = builder.keep_store_open;
    Ok(Runtime { provider, client, door, workers, engine, tasks, threads, meter, keep_store_open })
}

impl Start {
    fn shards(&mut self, alive: &mpsc::Sender<()>) -> Result<Vec<ShardHandle>, StartError> {
        let mut shards = Vec::with_capacity(self.builder.shards);
        for number in 0..self.builder.shards {
            let shard = self.shard(number)?;
            let (handle, thread) = spawn_shard(number, shard, alive.clone())?;
            shards.push(handle);
            self.threads.push(thread);
        }
        Ok(shards)
    }

    fn shard(&mut self, number: usize) -> Result<Shard, StartError> {
        let supervisor = self.supervisor(number)?;
        Ok(Shard {
            provider: Arc::clone(&self.builder.provider),
            owner: self.owner.clone(),
            rules: Arc::new(Rules {
                registry: Arc::clone(&self.registry),
                limits: self.builder.limits,
                under_way: Arc::clone(&self.under_way),
                suspended: Arc::clone(&self.suspended),
                shared: self.builder.provider.capabilities().shared,
                double_check: supervisor.double_check.is_some(),
            }),
            workers: Arc::clone(&self.workers),
            suspended: Arc::clone(&self.suspended),
            leases: Arc::clone(&self.leases),
            lease: self.builder.lease,
            meter: Arc::clone(&self.meter),
            supervisor,
            engine: self.engine.clone(),
            live_max: self.builder.live_max,
            commit_ids: CommitIds::fresh(),
            trials: Arc::clone(&self.trials),
        })
    }

    fn supervisor(&mut self, number: usize) -> Result<Supervisor, StartError> {
        let watch = Watch::default();
        self.watches.push(watch.clone());
        let double_check = if self.builder.double_check {
            let (check, thread) =
                DoubleCheck::spawn(number, self.builder.live_max.executions).map_err(StartError::Thread)?;
            self.threads.push(thread);
            Some(check)
        } else {
            None
        };
        Ok(Supervisor { watch, budget: self.builder.turn_budget, double_check })
    }

    fn new_workers(&self, door: &Arc<Door>, client: &Client) -> Arc<Workers> {
        Arc::new(Workers {
            provider: Arc::clone(&self.builder.provider),
            door: Arc::clone(door),
            leases: Arc::clone(&self.leases),
            states: Arc::new(self.builder.states.clone()),
            limits: self.builder.limits,
            client: client.clone(),
            application: self.application.clone(),
            slots: Arc::new(Semaphore::new(self.builder.activities_max as usize)),
            slots_max: self.builder.activities_max,
            local_slots: Arc::new(Semaphore::new(self.builder.activities_max as usize)),
            unsettled: Arc::new(Semaphore::new(UNSETTLED_MAX as usize)),
            tags: self.builder.tags.clone().into(),
            caps: Arc::new(Caps::new(self.builder.caps(&self.registry))),
            under_way: Arc::clone(&self.under_way),
            lease: self.builder.lease,
            meter: Arc::clone(&self.meter),
            cancel_grace: self.builder.cancel_grace,
            running: Mutex::new(BTreeMap::new()),
            local_count: AtomicU64::new(0),
        })
    }

    fn tasks(&self, door: &Arc<Door>, workers: &Arc<Workers>) -> Vec<AbortHandle> {
        let provider = || Arc::clone(&self.builder.provider);
        let turns = fetch::turns(provider(), self.owner.clone(), Arc::clone(door), self.builder.lease);
        let activities = fetch::activities(provider(), self.owner.clone(), Arc::clone(workers));
        let renewal = leases::renew(provider(), Arc::clone(&self.leases), self.builder.lease);
        let watch = watchdog::watch(self.watches.clone(), self.builder.turn_budget, Arc::clone(&self.suspended));
        let registry = Arc::clone(&self.registry);
        let unserved = unserved::watch(provider(), registry, Arc::clone(&self.suspended), self.builder.lease);
        vec![
            self.engine.spawn(turns).abort_handle(),
            // Where bodies run: one thread less to wake for each, and without a free thread none could run anyway.
            self.application.spawn(activities).abort_handle(),
            self.engine.spawn(renewal).abort_handle(),
            self.engine.spawn(watch).abort_handle(),
            self.engine.spawn(unserved).abort_handle(),
        ]
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
