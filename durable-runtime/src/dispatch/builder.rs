//! Building a runtime.

use std::any::Any;
use std::collections::BTreeMap;
use std::num::NonZeroUsize;
use std::sync::Arc;
use std::time::Duration;

use super::caps::Capped;
use super::leases::LEASE_TTL;
use super::runtime::Runtime;
use super::shard::LiveMax;
use super::start::start;
use crate::activity::{Activity, ActivityHandler, StateKey, States};
use crate::client::TraceSource;
use crate::clock::{Clock, SystemClock};
use crate::limits::Limits;
use crate::management::Retention;
use crate::orchestration::Orchestration;
use crate::providers::Provider;
use crate::registry::{Registry, RegistryError};

/// A runtime could not be started.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum StartError {
    /// The functions of the program do not fit together.
    #[error(transparent)]
    Registry(#[from] RegistryError),
    /// There is no tokio runtime for activities to run on.
    #[error("no tokio runtime is running here; call `start` inside `#[tokio::main]` or `Runtime::block_on`")]
    NoTokio,
    /// The system gives no thread.
    #[error("a thread of the runtime could not be started: {0}")]
    Thread(#[source] std::io::Error),
}

/// Settings of a runtime; see [`Runtime::builder`].
pub struct RuntimeBuilder {
    pub(super) provider: Arc<dyn Provider>,
    pub(super) states: States,
    pub(super) limits: Limits,
    pub(super) shards: usize,
    pub(super) activities_max: u32,
    pub(super) live_max: LiveMax,
    pub(super) tags: Vec<String>,
    pub(super) keep_store_open: bool,
    pub(super) double_check: bool,
    pub(super) turn_budget: Duration,
    pub(super) cancel_grace: Duration,
    pub(super) clock: Arc<dyn Clock>,
    pub(super) trace_source: Option<TraceSource>,
    pub(super) retention: Vec<Retention>,
    pub(super) lease: Duration,
    caps: BTreeMap<Capped, usize>,
    pub(super) latest: BTreeMap<String, String>,
    by_hand: Vec<Register>,
    intercept: Option<Intercept>,
    automatic: bool,
}

/// Puts something before the body of each activity.
type Intercept = Box<dyn Fn(ActivityHandler) -> ActivityHandler + Send>;

type Register = fn(&mut Registry) -> Result<(), RegistryError>;

/// How long a turn may take unless the builder says otherwise.
const TURN_BUDGET: Duration = Duration::from_secs(2);
/// How long a cancelled activity may clean up unless the builder says otherwise.
const CANCEL_GRACE: Duration = Duration::from_secs(10);
/// How many activities run at once unless the builder says otherwise.
const ACTIVITIES_MAX: u32 = 256;
/// How many executions stay in memory on each shard unless the builder says otherwise.
const LIVE_MAX: LiveMax = LiveMax { executions: NonZeroUsize::new(4_096).unwrap(), bytes: 128 << 20 };

impl RuntimeBuilder {
    pub(super) fn new(provider: Arc<dyn Provider>) -> Self {
        Self {
            provider,
            states: States::new(),
            limits: Limits::default(),
            shards: std::thread::available_parallelism().map_or(1, NonZeroUsize::get).min(8),
            activities_max: ACTIVITIES_MAX,
            live_max: LIVE_MAX,
            tags: Vec::new(),
            keep_store_open: false,
            double_check: cfg!(debug_assertions),
            turn_budget: TURN_BUDGET,
            cancel_grace: CANCEL_GRACE,
            clock: Arc::new(SystemClock),
            trace_source: None,
            retention: Vec::new(),
            lease: LEASE_TTL,
            caps: BTreeMap::new(),
            latest: BTreeMap::new(),
            by_hand: Vec::new(),
            intercept: None,
            automatic: true,
        }
    }

    /// Registers an orchestration by hand, beside those found automatically.
    #[must_use]
    pub fn register<O: Orchestration>(mut self) -> Self {
        self.by_hand.push(Registry::add::<O>);
        self
    }

    /// Registers an activity by hand, beside those found automatically.
    #[must_use]
    pub fn register_activity<A: Activity>(mut self) -> Self {
        self.by_hand.push(Registry::add_activity_of::<A>);
        self
    }

    /// Whether everything annotated in the program is registered by itself. It is, unless you say `false`.
    #[must_use]
    pub fn automatic_registration(mut self, automatic: bool) -> Self {
        self.automatic = automatic;
        self
    }

    /// Gives a value to activities, which take it by a [`State<T>`](crate::State) argument. One for each type.
    #[must_use]
    pub fn state<T: Send + Sync + 'static>(mut self, value: T) -> Self {
        let value: Arc<dyn Any + Send + Sync> = Arc::new(value);
        self.states.insert(StateKey::of::<T>(), value);
        self
    }

    /// What is refused before it is stored.
    #[must_use]
    pub fn limits(mut self, limits: Limits) -> Self {
        self.limits = limits;
        self
    }

    /// How many threads run orchestrations: as many as there are cores, at most 8, unless you say otherwise.
    #[must_use]
    pub fn shards(mut self, shards: usize) -> Self {
        self.shards = shards.max(1);
        self
    }

    /// How many activities run at once: 256 unless you say otherwise.
    #[must_use]
    pub fn activities_max(mut self, activities_max: u32) -> Self {
        self.activities_max = activities_max.max(1);
        self
    }

    /// How many activities of this name run here at once, instead of what its attribute says; 0 counts as 1. Others are
    /// not held up by those that wait.
    ///
    /// ```standalone_crate
    /// use durable_runtime::prelude::*;
    ///
    /// # #[tokio::main(flavor = "current_thread")]
    /// # async fn main() -> Result<(), Box<dyn std::error::Error>> {
    /// #[activity(max_concurrent = 10)]
    /// async fn charge_card(cents: u64) -> u64 {
    ///     cents
    /// }
    ///
    /// let builder = Runtime::builder(MemoryProvider::new());
    /// let runtime = builder.serve_tag("gpu").max_concurrent_tag("gpu", 2).max_concurrent("charge_card", 4).start().await?;
    /// # runtime.shutdown(Duration::from_secs(5)).await;
    /// # Ok(())
    /// # }
    /// ```
    #[must_use]
    pub fn max_concurrent(mut self, activity: impl Into<String>, most: usize) -> Self {
        self.caps.insert(Capped::Name(activity.into()), most.max(1));
        self
    }

    /// How many activities with this tag run here at once, whatever their names; 0 counts as 1.
    #[must_use]
    pub fn max_concurrent_tag(mut self, tag: impl Into<String>, most: usize) -> Self {
        self.caps.insert(Capped::Tag(tag.into()), most.max(1));
        self
    }

    /// How long an activity may go on after it was cancelled, to clean up: 10 seconds unless you say otherwise. Then it is
    /// dropped where it waits; a blocking one goes on, but nobody hears of it.
    #[must_use]
    pub fn cancel_grace(mut self, grace: Duration) -> Self {
        self.cancel_grace = grace;
        self
    }

    /// How many executions each shard keeps in memory between turns: 4,096 unless you say otherwise. Those that have
    /// left come back by a replay of their history.
    #[must_use]
    pub fn live_executions_max(mut self, live_max: usize) -> Self {
        self.live_max.executions = NonZeroUsize::new(live_max).unwrap_or(NonZeroUsize::MIN);
        self
    }

    /// How many bytes the executions that each shard keeps in memory between turns may take, about: 128 MiB unless you say
    /// otherwise. Counted are their bodies, and the payloads of their histories, which these may still have.
    #[must_use]
    pub fn live_bytes_max(mut self, bytes: usize) -> Self {
        self.live_max.bytes = bytes;
        self
    }

    /// Takes activities with this tag too, besides those without one.
    #[must_use]
    pub fn serve_tag(mut self, tag: impl Into<String>) -> Self {
        self.tags.push(tag.into());
        self
    }

    /// Whether every turn is run twice, the second time on another thread, and what it asks for compared: finds code
    /// that is not deterministic before a replay does. On in debug builds, off in release builds, unless you say
    /// otherwise.
    #[must_use]
    pub fn double_check(mut self, double_check: bool) -> Self {
        self.double_check = double_check;
        self
    }

    /// How long a turn may take: 2 seconds unless you say otherwise. One that takes longer is reported while it runs
    /// and not kept; its instance is suspended, and tried again every minute.
    #[must_use]
    pub fn turn_budget(mut self, turn_budget: Duration) -> Self {
        self.turn_budget = turn_budget;
        self
    }

    /// Leaves the store open at shutdown: another runtime, or a client without one, goes on with it.
    #[must_use]
    pub fn keep_store_open(mut self) -> Self {
        self.keep_store_open = true;
        self
    }

    /// The caps of the attributes, and over them those of this builder.
    pub(super) fn caps(&self, registry: &Registry) -> BTreeMap<Capped, usize> {
        let mut caps = registry.activity_caps();
        caps.extend(self.caps.clone());
        caps
    }

    /// Puts something before the body of each activity.
    #[cfg(feature = "testing")]
    pub(crate) fn intercept_activities(
        mut self,
        intercept: impl Fn(ActivityHandler) -> ActivityHandler + Send + 'static,
    ) -> Self {
        self.intercept = Some(Box::new(intercept));
        self
    }

    /// Starts it, inside the tokio runtime on which activities are to run.
    ///
    /// # Errors
    /// [`StartError`] if two functions have one name, a state is missing, or there is no tokio runtime.
    pub async fn start(self) -> Result<Runtime, StartError> {
        let mut registry = if self.automatic { Registry::automatic()? } else { Registry::default() };
        for register in &self.by_hand {
            register(&mut registry)?;
        }
        registry.check_states(&self.states)?;
        registry.check_caps(self.caps.keys())?;
        registry.set_latest(&self.latest)?;
        if let Some(intercept) = &self.intercept {
            registry.intercept_activities(intercept);
        }
        start(self, Arc::new(registry))
    }
}
