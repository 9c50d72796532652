//! A shard: one thread that owns some of the instances and runs their turns.
//!
//! Each instance that has something to do has a *lane*, which goes round: lease, load if it is not in memory, plan,
//! commit, answer. Everything that waits for the store waits beside the others, so that one flush serves many lanes.

use std::collections::{BTreeMap, VecDeque};
use std::num::NonZeroUsize;
use std::pin::Pin;
use std::sync::Arc;
use std::sync::mpsc::Receiver;
use std::task::{Context, Poll, Wake, Waker};
use std::thread::{self, Thread};
use std::time::Duration;

use futures_util::StreamExt as _;
use futures_util::stream::FuturesUnordered;
use lru::LruCache;
use tokio::runtime::Handle;
use tokio::sync::{OwnedSemaphorePermit, Semaphore};

use super::door::{Accepted, Delivery, Origin, Question, Refusal, ToShard, TurnRoom};
use super::kept::Kept;
use super::leases::Leases;
use super::load::{Loaded, load};
use super::resident::Resident;
use super::supervised::Supervisor;
use super::suspended::Suspended;
use super::trial::Suspect;
use super::turn::{Planned, Rules};
use crate::clock::Timestamp;
use crate::ids::{InstanceId, LockToken, MessageId};
use crate::message::Message;
use crate::observe::{Meter, TurnNotes};
use crate::providers::{
    CommitError, CommitId, ErrorKind, LeasedTurn, OwnerId, Provider, ProviderError, Transaction, TransactionOp,
    TurnRequest,
};

/// How many messages one turn takes.
const MESSAGES_MAX: usize = 1_024;
/// How long a lane waits after the store has failed, at first and at most.
const BACKOFF: (Duration, Duration) = (Duration::from_millis(20), Duration::from_secs(1));

/// What a shard is made of.
pub(super) struct Shard {
    pub(super) provider: Arc<dyn Provider>,
    pub(super) owner: OwnerId,
    pub(super) rules: Rules,
    pub(super) suspended: Arc<Suspended>,
    pub(super) leases: Arc<Leases>,
    pub(super) lease: Duration,
    pub(super) meter: Arc<Meter>,
    pub(super) supervisor: Supervisor,
    /// The runtime on which futures of the store may rely.
    pub(super) engine: Handle,
    pub(super) live_max: NonZeroUsize,
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

/// One instance that has something to do.
#[derive(Default)]
struct Lane {
    inputs: VecDeque<Delivery>,
    /// How many of them were in hand when the lease was asked for. The others may be younger than what has come into
    /// the queue since.
    asked: usize,
    turn: Option<(LeasedTurn, TurnRoom)>,
    busy: bool,
    /// Another lease is out; its turn, or a while, is waited for.
    waiting: bool,
    failures: u32,
    /// While its turn is run alone.
    alone: Option<OwnedSemaphorePermit>,
}

/// A turn that waits to be kept.
struct InFlight {
    transaction: Transaction,
    token: LockToken,
    resident: Resident,
    kept: Kept,
    answers: Vec<(Delivery, Result<Accepted, Refusal>)>,
    unwanted: Vec<MessageId>,
    room: Option<TurnRoom>,
    notes: TurnNotes,
    /// An earlier attempt to keep it was not answered.
    maybe_kept: bool,
}

impl InFlight {
    /// Whether it is still not known that it was not kept. A store that cannot be reached now says nothing about an
    /// earlier attempt.
    fn is_open(&self, error: &ProviderError) -> bool {
        error.kind() == ErrorKind::Ambiguous || (self.maybe_kept && error.is_transient())
    }
}

/// What a lane has waited for.
enum Step {
    Leased(InstanceId, Result<Vec<LeasedTurn>, ProviderError>),
    Loaded(LeasedTurn, Option<TurnRoom>, Option<OwnedSemaphorePermit>, Result<Loaded, ProviderError>),
    Committed(InstanceId, Box<InFlight>, Result<(), CommitError>),
    Enqueued(InstanceId, Vec<Delivery>, Result<(), CommitError>),
    Rested(InstanceId, Option<LockToken>),
    Waited(InstanceId),
}

type Pending = Pin<Box<dyn Future<Output = Step>>>;

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
    let live = LruCache::new(shard.live_max);
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
    live: LruCache<InstanceId, (Resident, Kept)>,
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
            Some((Resident::Live(live), _)) if live.execution.history_len() == question.history_len => {
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
            Step::Loaded(turn, room, alone, Ok(loaded)) => {
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
            Step::Loaded(turn, room, _, Err(error)) => {
                tracing::warn!(instance = %turn.instance, %error, "an instance could not be loaded");
                let after = self.note_failure(&turn.instance);
                let ops = vec![TransactionOp::ReleaseLock { delay: None, give_back_attempt: true }];
                let planned = Planned {
                    ops,
                    resident: Resident::Absent,
                    kept: Kept::default(),
                    answers: Vec::new(),
                    deferred: Vec::new(),
                    unwanted: Vec::new(),
                    parts: Vec::new(),
                    notes: TurnNotes::default(),
                };
                self.commit(turn, room, planned, after);
            }
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

    /// Takes the lease on an instance that has messages in hand.
    fn lease(&mut self, instance: InstanceId) {
        let provider = Arc::clone(&self.shard.provider);
        let want = TurnRequest {
            owner: self.shard.owner.clone(),
            max: 1,
            ttl: self.shard.lease,
            wait: Duration::ZERO,
            instance: Some(instance.clone()),
        };
        self.pending.push(Box::pin(async move { Step::Leased(instance, provider.fetch_turns(want).await) }));
    }

    fn leased(&mut self, instance: &InstanceId, leased: Result<Vec<LeasedTurn>, ProviderError>) {
        match leased.map(|turns| turns.into_iter().next()) {
            Ok(Some(turn)) => self.begin(turn, None),
            Ok(None) if self.lanes.get(instance).is_some_and(|lane| lane.turn.is_some()) => self.free(instance),
            Ok(None) if self.shard.rules.shared => self.enqueue(instance),
            Ok(None) => self.wait(instance),
            Err(error) => {
                tracing::warn!(%instance, %error, "a turn could not be leased");
                let after = self.note_failure(instance);
                self.rest(instance.clone(), after, None);
            }
        }
    }

    /// This process has the lease, so its turn is on its way here. A message that was put into the queue instead could
    /// not be refused any more when that turn closes the instance.
    fn wait(&mut self, instance: &InstanceId) {
        let after = self.note_failure(instance);
        if let Some(lane) = self.lanes.get_mut(instance) {
            lane.busy = false;
            lane.waiting = true;
        }
        let instance = instance.clone();
        self.pending.push(Box::pin(async move {
            tokio::time::sleep(after).await;
            Step::Waited(instance)
        }));
    }

    fn waited(&mut self, instance: &InstanceId) {
        if let Some(lane) = self.lanes.get_mut(instance) {
            lane.waiting = false;
        }
        self.go(instance);
    }

    /// Somebody else has the lease: the messages in hand are put into the queue, and wait there for its turn.
    fn enqueue(&mut self, instance: &InstanceId) {
        let Some(lane) = self.lanes.get_mut(instance) else { return };
        let deliveries: Vec<Delivery> = lane.inputs.drain(..).collect();
        let mut ops = Vec::new();
        for Delivery { message, from, .. } in &deliveries {
            if let Origin::Worker { token, .. } = from {
                ops.push(TransactionOp::AckWork { token: token.clone() });
            }
            match message.enqueue(instance, message.id()) {
                Ok(op) => ops.push(op),
                Err(error) => tracing::error!(%instance, %error, "a message cannot be written"),
            }
        }
        let transaction = Transaction { fence: None, commit_id: self.shard.commit_ids.next(), ops };
        let (provider, instance) = (Arc::clone(&self.shard.provider), instance.clone());
        self.pending.push(Box::pin(async move {
            let result = provider.atomic_batch(transaction).await.map(drop);
            Step::Enqueued(instance, deliveries, result)
        }));
    }

    fn enqueued(&mut self, instance: &InstanceId, deliveries: Vec<Delivery>, result: Result<(), CommitError>) {
        match result {
            Ok(()) => {
                deliveries.into_iter().for_each(|delivery| delivery.answer(Ok(Accepted::Kept)));
                self.free(instance);
            }
            Err(error) => self.again(instance, deliveries, &error, None),
        }
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

    fn plan(&mut self, turn: LeasedTurn, room: Option<TurnRoom>, resident: Resident, kept: Kept) {
        let deliveries = match self.lanes.get_mut(&turn.instance) {
            Some(lane) => {
                let most = lane.asked.min(lane.inputs.len()).min(MESSAGES_MAX);
                take_inputs(&mut lane.inputs, most, &resident)
            }
            None => Vec::new(),
        };
        let begin = self.shard.meter.begin();
        let planned = self.shard.supervisor.plan(&self.shard.rules, &turn, resident, kept, deliveries);
        self.shard.meter.turn_ran(begin);
        self.commit(turn, room, planned, Duration::ZERO);
    }

    fn commit(&mut self, turn: LeasedTurn, room: Option<TurnRoom>, planned: Planned, after: Duration) {
        let Planned { ops, resident, kept, answers, deferred, unwanted, notes, .. } = planned;
        if let Some(lane) = self.lanes.get_mut(&turn.instance) {
            deferred.into_iter().rev().for_each(|delivery| lane.inputs.push_front(delivery));
        }
        let token = turn.lock_token;
        let commit_id = self.shard.commit_ids.next();
        let transaction = Transaction { fence: Some(token.clone()), commit_id, ops };
        let flight = InFlight { transaction, token, resident, kept, answers, unwanted, room, notes, maybe_kept: false };
        self.send(turn.instance, Box::new(flight), after);
    }

    fn send(&mut self, instance: InstanceId, flight: Box<InFlight>, after: Duration) {
        let provider = Arc::clone(&self.shard.provider);
        self.pending.push(Box::pin(async move {
            if !after.is_zero() {
                tokio::time::sleep(after).await;
            }
            let result = provider.atomic_batch(flight.transaction.clone()).await.map(drop);
            Step::Committed(instance, flight, result)
        }));
    }

    fn committed(&mut self, instance: &InstanceId, mut flight: InFlight, result: Result<(), CommitError>) {
        match result {
            Ok(()) => self.kept(instance, flight),
            // It may have been kept: only the same transaction under the same name can tell.
            Err(CommitError::Provider(error)) if flight.is_open(&error) && !self.stopping => {
                flight.maybe_kept = true;
                tracing::warn!(%instance, %error, "whether a turn was kept is not known; asking again");
                let after = self.note_failure(instance);
                self.send(instance.clone(), Box::new(flight), after);
            }
            Err(error) => {
                self.shard.leases.release(&flight.token);
                let deliveries = flight.answers.into_iter().map(|(delivery, _)| delivery).collect();
                let lost = matches!(error, CommitError::LeaseLost(_));
                self.again(instance, deliveries, &error, Some(flight.token).filter(|_| !lost));
            }
        }
    }

    fn kept(&mut self, instance: &InstanceId, flight: InFlight) {
        self.release(&flight);
        self.shard.meter.turn_kept(&flight.notes);
        if !flight.unwanted.is_empty() {
            self.shard.leases.revoke(instance, &flight.unwanted);
        }
        self.note(instance, flight.resident, flight.kept);
        for (delivery, answer) in flight.answers {
            delivery.answer(answer);
        }
        if let Some(lane) = self.lanes.get_mut(instance) {
            lane.failures = 0;
        }
        drop(flight.room);
        self.free(instance);
    }

    /// What was leased for this turn is done with: the instance, and the activities whose ends it took.
    fn release(&self, flight: &InFlight) {
        self.shard.leases.release(&flight.token);
        for (delivery, _) in &flight.answers {
            if let Origin::Worker { token, .. } = &delivery.from {
                self.shard.leases.release(token);
            }
        }
    }

    /// Keeps in memory what the next turn can use.
    fn note(&mut self, instance: &InstanceId, resident: Resident, kept: Kept) {
        match resident {
            Resident::Suspended { report, by_hand, .. } => {
                let is_new = self.shard.suspended.note(instance, report.clone());
                match by_hand {
                    true if is_new => tracing::info!(%instance, "{report}"),
                    false if is_new => tracing::error!(%instance, "suspended: {report}"),
                    _ => {}
                }
            }
            Resident::Live(_) => {
                self.shard.suspended.clear(instance);
                self.live.push(instance.clone(), (resident, kept));
            }
            Resident::Absent | Resident::Unloaded | Resident::Pending { .. } | Resident::Closed { .. } => {
                self.shard.suspended.clear(instance)
            }
        }
    }

    /// Nothing was kept: what was in hand goes first into the next round. The end of the lease was not kept either.
    fn again(
        &mut self,
        instance: &InstanceId,
        deliveries: Vec<Delivery>,
        error: &CommitError,
        lease: Option<LockToken>,
    ) {
        let gone = if let CommitError::WorkGone(token) = error { Some(token.clone()) } else { None };
        if gone.is_none() {
            tracing::warn!(%instance, %error, "a turn was not kept; it is run again");
        }
        if let Some(token) = &gone {
            self.shard.leases.release(token);
        }
        let still = deliveries.into_iter().filter(|delivery| !delivery.is_work(gone.as_ref()));
        let lane = self.lanes.entry(instance.clone()).or_default();
        for delivery in still.collect::<Vec<_>>().into_iter().rev() {
            lane.inputs.push_front(delivery);
        }
        let after = if gone.is_some() { Duration::ZERO } else { self.note_failure(instance) };
        self.rest(instance.clone(), after, lease);
    }

    /// Leaves a lane alone for a while, and then gives back its lease: until then nobody else could run its turn.
    fn rest(&mut self, instance: InstanceId, after: Duration, lease: Option<LockToken>) {
        let (provider, commit_id) = (Arc::clone(&self.shard.provider), self.shard.commit_ids.next());
        self.pending.push(Box::pin(async move {
            if !after.is_zero() {
                tokio::time::sleep(after).await;
            }
            let Some(token) = lease else { return Step::Rested(instance, None) };
            let ops = vec![TransactionOp::ReleaseLock { delay: None, give_back_attempt: true }];
            let release = Transaction { fence: Some(token.clone()), commit_id, ops };
            match provider.atomic_batch(release).await {
                Err(CommitError::Provider(error)) if error.is_transient() => Step::Rested(instance, Some(token)),
                // It was given back, or has ended.
                Ok(_) | Err(_) => Step::Rested(instance, None),
            }
        }));
    }

    /// Twice as long with each failure in a row.
    fn note_failure(&mut self, instance: &InstanceId) -> Duration {
        let lane = self.lanes.entry(instance.clone()).or_default();
        lane.failures = lane.failures.saturating_add(1);
        BACKOFF.0.saturating_mul(1 << lane.failures.min(6)).min(BACKOFF.1)
    }
}

/// The first `most`; but an instance that does not exist takes its start alone, because events that were kept before may
/// be hidden until then.
fn take_inputs(inputs: &mut VecDeque<Delivery>, most: usize, resident: &Resident) -> Vec<Delivery> {
    let is_start = |delivery: &Delivery| matches!(delivery.message, Message::Start(_));
    let first_start = inputs.iter().take(most).position(is_start);
    match first_start {
        Some(start) if matches!(resident, Resident::Absent) => inputs.remove(start).into_iter().collect(),
        _ => inputs.drain(..most).collect(),
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

impl Delivery {
    /// Tells the sender, if it still listens.
    fn answer(self, answer: Result<Accepted, Refusal>) {
        if let Origin::Client(reply) = self.from {
            let _ = reply.send(answer);
        }
    }

    fn is_work(&self, token: Option<&LockToken>) -> bool {
        matches!((&self.from, token), (Origin::Worker { token: mine, .. }, Some(token)) if mine == token)
    }
}
