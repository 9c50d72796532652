//! Workers: how many activities run at once, and how they are stopped.

use std::collections::BTreeMap;
use std::sync::atomic::{AtomicU64, Ordering};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::Duration;

use tokio::runtime::Handle;
use tokio::sync::{OwnedSemaphorePermit, Semaphore};
use tokio::task::{AbortHandle, JoinHandle};

use super::attempt;
use super::caps::{CapPlace, Caps};
use super::door::Door;
use super::fetch;
use super::leases::Leases;
use super::under_way::UnderWay;
use crate::activity::States;
use crate::client::Client;
use crate::limits::Limits;
use crate::message::ActivityTask;
use crate::observe::Meter;
use crate::providers::{LeasedActivity, Provider};

/// How many results on their way to the store a shutdown can wait for.
pub(super) const UNSETTLED_MAX: u32 = 1 << 20;

/// What runs activities.
pub(crate) struct Workers {
    pub(super) provider: Arc<dyn Provider>,
    pub(super) door: Arc<Door>,
    pub(super) leases: Arc<Leases>,
    pub(super) states: Arc<States>,
    pub(super) limits: Limits,
    pub(super) client: Client,
    /// The runtime of the application: bodies run there, and only there.
    pub(super) application: Handle,
    pub(super) slots: Arc<Semaphore>,
    pub(super) slots_max: u32,
    /// As many again, for those that run in their turns.
    pub(super) local_slots: Arc<Semaphore>,
    /// A place for each attempt that has begun and whose result is not kept yet.
    pub(super) unsettled: Arc<Semaphore>,
    pub(super) tags: Arc<[String]>,
    pub(super) caps: Arc<Caps>,
    pub(super) under_way: Arc<UnderWay>,
    /// How long a lease lasts.
    pub(super) lease: Duration,
    pub(super) meter: Arc<Meter>,
    /// How long a cancelled body may clean up before it is dropped.
    pub(super) cancel_grace: Duration,
    pub(super) running: Mutex<BTreeMap<Attempt, AbortHandle>>,
    pub(super) local_count: AtomicU64,
}

/// A running attempt.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub(super) enum Attempt {
    /// Leased, with this fence.
    Leased(u64),
    /// In its turn, counted by this runtime.
    Local(u64),
}

/// What a running body takes up; free again when it is dropped.
pub(super) struct Slot {
    _one_of_all: Option<OwnedSemaphorePermit>,
    _under_caps: Option<CapPlace>,
}

impl Workers {
    pub(super) fn topics(&self) -> Vec<String> {
        self.door.registry.activity_names()
    }

    pub(super) fn tags(&self) -> Arc<[String]> {
        Arc::clone(&self.tags)
    }

    /// All free slots, at least one.
    pub(super) async fn free(&self) -> Option<OwnedSemaphorePermit> {
        fetch::free(&self.slots).await
    }

    /// Runs these, each in a slot of `free`.
    pub(super) fn start(self: &Arc<Self>, activities: Vec<LeasedActivity>, mut free: OwnedSemaphorePermit) {
        for leased in activities {
            let task = match ActivityTask::decode(&leased.data) {
                Ok(task) => task,
                Err(error) => {
                    // Its lease runs out, and a build that can read it takes it.
                    tracing::error!(instance = %leased.instance, message = %leased.id, %error, "an activity cannot be read");
                    continue;
                }
            };
            let under_caps = self.caps.take(&task.name, task.settings.tag.as_deref());
            let slot = Slot { _one_of_all: free.split(1), _under_caps: under_caps };
            let fence = leased.lock_token.fence;
            let unsettled = Arc::clone(&self.unsettled).try_acquire_owned().ok();
            let attempt = attempt::run(Arc::clone(self), leased, task, slot, unsettled);
            // Held while the task is spawned, so that it cannot end before it is listed.
            let mut running = self.running();
            running.insert(Attempt::Leased(fence), self.application.spawn(attempt).abort_handle());
        }
    }

    pub(super) fn ended(&self, fence: u64) {
        self.running().remove(&Attempt::Leased(fence));
    }

    /// Runs an attempt that has no lease of its own.
    pub(super) fn spawn_local<T: Send + 'static>(
        self: &Arc<Self>,
        attempt: impl Future<Output = T> + Send + 'static,
    ) -> JoinHandle<T> {
        let key = Attempt::Local(self.local_count.fetch_add(1, Ordering::Relaxed));
        let listed = Listed { workers: Arc::clone(self), key };
        // Held while the task is spawned, so that it cannot end before it is listed.
        let mut running = self.running();
        let task = self.application.spawn(async move {
            let _listed = listed;
            attempt.await
        });
        running.insert(key, task.abort_handle());
        task
    }

    /// Waits until nothing runs and every result is kept.
    pub(super) async fn idle(&self) {
        drop(self.slots.acquire_many(self.slots_max).await);
        drop(self.local_slots.acquire_many(self.slots_max).await);
        drop(self.unsettled.acquire_many(UNSETTLED_MAX).await);
    }

    /// Stops what still runs. A blocking body goes on to its end, but nobody hears of it.
    pub(super) fn abort(&self) {
        self.slots.close();
        self.local_slots.close();
        let running = std::mem::take(&mut *self.running());
        running.values().for_each(AbortHandle::abort);
    }

    fn running(&self) -> MutexGuard<'_, BTreeMap<Attempt, AbortHandle>> {
        self.running.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

/// Takes an attempt off the list when it is over, however it ends.
struct Listed {
    workers: Arc<Workers>,
    key: Attempt,
}

impl Drop for Listed {
    fn drop(&mut self) {
        self.workers.running().remove(&self.key);
    }
}
