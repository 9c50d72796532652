//! A shard: one thread that owns some of the instances and runs their turns.
//!
//! Each instance that has something to do has a *lane*, which goes round: lease, load if it is not in memory, plan,
//! commit, answer. Everything that waits for the store waits beside the others, so that one flush serves many lanes.
mod commit;
mod lane;
mod leasing;
mod live;
mod local;

use std::collections::BTreeMap;
use std::sync::mpsc::Receiver;
use std::sync::{Arc, OnceLock};
use std::task::{Context, Poll, Wake, Waker};
use std::thread::{self, Thread};
use std::time::Duration;

use futures_util::StreamExt as _;
use futures_util::stream::FuturesUnordered;
use tokio::runtime::Handle;
use tokio::sync::{OwnedSemaphorePermit, Semaphore};

use self::lane::{Lane, Pending, Step, take_inputs};
use self::live::LiveExecutions;
pub(super) use self::live::LiveMax;
use self::local::LocalTurn;
use super::activities::Workers;
use super::door::{Question, ToShard, TurnRoom};
use super::kept::Kept;
use super::leases::Leases;
use super::load::{Loaded, load};
use super::resident::Resident;
use super::supervised::{Course, Supervisor};
use super::suspended::Suspended;
use super::trial::Suspect;
use super::turn::{Planned, Rules};
use crate::clock::Timestamp;
use crate::ids::InstanceId;
use crate::observe::Meter;
use crate::providers::{CommitId, LeasedTurn, OwnerId, Provider, ProviderError};

/// How many messages one turn takes.
const MESSAGES_MAX: usize = 1_024;

/// What a shard is made of.
pub(super) struct Shard {
    pub(super) provider: Arc<dyn Provider>,
    pub(super) owner: OwnerId,
    pub(super) rules: Arc<Rules>,
    /// Where local activities run; there before the first message is.
    pub(super) workers: Arc<OnceLock<Arc<Workers>>>,
    pub(super) suspended: Arc<Suspended>,
    pub(super) leases: Arc<Leases>,
    pub(super) lease: Duration,
    pub(super) meter: Arc<Meter>,
    pub(super) supervisor: Supervisor,
    /// The runtime on which futures of the store may rely.
    pub(super) engine: Handle,
    pub(super) live_max: LiveMax,
    pub(super) commit_ids: CommitIds,
    /// One turn at a time that may kill the process.
    pub(super) trials: Arc<Semaphore>,
}

/// Makes names for transactions: the same prefix for all of a shard, then a counter.
pub(super) struct CommitIds(pub(super) u128);

impl CommitIds {
    fn next(&mut self) -> CommitId {
        self.0 = self.0.wrapping_add(1);
        CommitId(self.0)
    }
}

struct Unpark(Thread);

impl Wake for Unpark {
    fn wake(self: Arc<Self>) {
        self.0.unpark();
    }

    fn wake_by_ref(self: &Arc<Self>) {
        self.0.unpark();
    }
}

/// Runs a shard until it is told to stop and nothing is under way.
pub(super) fn run(shard: Shard, inbox: &Receiver<ToShard>) {
    let live = LiveExecutions::new(shard.live_max);
    let mut running =
        Running { shard, lanes: BTreeMap::new(), live, pending: FuturesUnordered::new(), stopping: false };
    let waker = Waker::from(Arc::new(Unpark(thread::current())));
    loop {
        let mut moved = false;
        while let Ok(message) = inbox.try_recv() {
            running.hear(message);
            moved = true;
        }
        moved |= running.advance(&waker);
        if running.stopping && running.pending.is_empty() {
            return;
        }
        if !moved {
            thread::park();
        }
    }
}

struct Running {
    shard: Shard,
    lanes: BTreeMap<InstanceId, Lane>,
    live: LiveExecutions,
    pending: FuturesUnordered<Pending>,
    stopping: bool,
}

impl Running {
    fn hear(&mut self, message: ToShard) {
        match message {
            ToShard::Stop => self.stopping = true,
            ToShard::Ask(question) => self.answer(question),
            ToShard::Turn(turn, room) => {
                let instance = turn.instance.clone();
                let lane = self.lanes.entry(instance.clone()).or_default();
                lane.turn = Some((turn, room));
                lane.waiting = false;
                self.go(&instance);
            }
            ToShard::Deliver(delivery) => {
                let instance = delivery.instance.clone();
                self.lanes.entry(instance.clone()).or_default().inputs.push_back(delivery);
                self.go(&instance);
            }
        }
    }

    fn answer(&self, question: Question) {
        let open = match self.live.peek(&question.instance) {
            Some(Resident::Live(live)) if live.execution.history_len() == question.history_len => {
                Some(live.execution.open_commands())
            }
            _ => None,
        };
        // Whoever asked may have gone.
        let _ = question.answer.send(open);
    }

    /// Polls what waits for the store; says whether anything was ready.
    fn advance(&mut self, waker: &Waker) -> bool {
        let mut moved = false;
        loop {
            let ready = {
                // Futures of a store may need a runtime for its I/O and timers; user code must not see one.
                let _entered = self.shard.engine.enter();
                self.pending.poll_next_unpin(&mut Context::from_waker(waker))
            };
            let Poll::Ready(Some(step)) = ready else { return moved };
            moved = true;
            self.step(step);
        }
    }

    /// Starts the next round of a lane, if it is free and has something to do.
    fn go(&mut self, instance: &InstanceId) {
        let stopping = self.stopping;
        let Some(lane) = self.lanes.get_mut(instance) else { return };
        if lane.busy || lane.waiting {
            return;
        }
        if let Some((turn, room)) = lane.turn.take() {
            lane.busy = true;
            lane.asked = 0;
            self.begin(turn, Some(room));
        } else if lane.inputs.is_empty() || stopping {
            // What is still in hand when the engine stops was never acknowledged.
            self.lanes.remove(instance);
        } else {
            lane.busy = true;
            lane.asked = lane.inputs.len();
            self.lease(instance.clone());
        }
    }

    fn step(&mut self, step: Step) {
        match step {
            Step::Leased(instance, leased) => self.leased(&instance, leased),
            Step::Loaded(turn, room, alone, Ok(loaded)) => self.loaded(turn, room, alone, loaded),
            Step::Loaded(turn, room, _, Err(error)) => self.not_loaded(turn, room, &error),
            Step::LocalEnded(turn, ends) => self.local_ended(*turn, ends),
            Step::Committed(instance, flight, result) => self.committed(&instance, *flight, result),
            Step::Enqueued(instance, deliveries, result) => self.enqueued(&instance, deliveries, result),
            Step::Rested(instance, Some(lease)) if !self.stopping => {
                let after = self.note_failure(&instance);
                self.rest(instance, after, Some(lease));
            }
            Step::Rested(instance, _) => self.free(&instance),
            Step::Waited(instance) => self.waited(&instance),
        }
    }

    fn free(&mut self, instance: &InstanceId) {
        if let Some(lane) = self.lanes.get_mut(instance) {
            lane.busy = false;
            lane.alone = None;
        }
        self.go(instance);
    }

    /// The instance is leased: runs the turn, from memory if it is there.
    fn begin(&mut self, turn: LeasedTurn, room: Option<TurnRoom>) {
        self.shard.leases.hold_turn(turn.lock_token.clone());
        if let Some(oldest) = turn.messages.iter().map(|message| message.visible_at).min() {
            let granted_at = Timestamp::from_millis(turn.lock_token.granted_at_ms);
            self.shard.meter.turn_waited(granted_at.saturating_since(oldest));
        }
        let resident = self.live.pop(&turn.instance).filter(|(resident, _)| is_current(resident, &turn));
        if let Some((resident, kept)) = resident {
            self.shard.meter.live_hit();
            return self.plan(turn, room, resident, kept);
        }
        let (provider, instance) = (Arc::clone(&self.shard.provider), turn.instance.clone());
        let (execution_id, history_len) = (turn.execution_id, turn.history_len);
        let suspect = Suspect::of(&turn, &self.shard.rules.limits, || self.shard.commit_ids.next());
        let trials = Arc::clone(&self.shard.trials);
        self.pending.push(Box::pin(async move {
            let alone = if suspect.is_some() { trials.acquire_owned().await.ok() } else { None };
            let loaded = load(provider, instance, execution_id, history_len, suspect).await;
            Step::Loaded(turn, room, alone, loaded)
        }));
    }

    fn loaded(
        &mut self,
        turn: LeasedTurn,
        room: Option<TurnRoom>,
        alone: Option<OwnedSemaphorePermit>,
        loaded: Loaded,
    ) {
        self.lanes.entry(turn.instance.clone()).or_default().alone = alone;
        let LeasedTurn { instance, execution_id, history_len, .. } = &turn;
        let rules = &self.shard.rules;
        let kept = loaded.kept();
        let load = || loaded.into_resident(rules, instance, *execution_id, *history_len);
        let begin = self.shard.meter.begin();
        let resident = self.shard.supervisor.load(&turn, load);
        if turn.history_len > 0 && resident.was_replayed() {
            self.shard.meter.replayed(begin);
        }
        self.plan(turn, room, resident, kept);
    }

    fn not_loaded(&mut self, turn: LeasedTurn, room: Option<TurnRoom>, error: &ProviderError) {
        tracing::warn!(instance = %turn.instance, %error, "an instance could not be loaded");
        let after = self.note_failure(&turn.instance);
        self.commit(turn, room, Planned::given_back(), after);
    }

    fn plan(&mut self, turn: LeasedTurn, room: Option<TurnRoom>, resident: Resident, kept: Kept) {
        let deliveries = match self.lanes.get_mut(&turn.instance) {
            Some(lane) => {
                let most = lane.asked.min(lane.inputs.len()).min(MESSAGES_MAX);
                take_inputs(&mut lane.inputs, most, &resident)
            }
            None => Vec::new(),
        };
        let begin = self.shard.meter.begin();
        let course = self.shard.supervisor.begin(&self.shard.rules, &turn, resident, kept, deliveries);
        self.shard.meter.turn_ran(begin);
        match course {
            Course::Over(planned) => self.commit(turn, room, planned, Duration::ZERO),
            Course::Local(supervised) => self.run_local(LocalTurn::new(turn, room, supervised)),
        }
    }
}

/// Whether what is in memory is what the store has.
fn is_current(resident: &Resident, turn: &LeasedTurn) -> bool {
    match resident {
        Resident::Live(live) => {
            live.execution_id == turn.execution_id && live.execution.history_len() == turn.history_len
        }
        _ => false,
    }
}
