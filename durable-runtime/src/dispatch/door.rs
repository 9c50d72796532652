//! The way to a shard, and what comes back.

use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::mpsc::Sender;
use std::thread::Thread;

use tokio::sync::{OwnedSemaphorePermit, Semaphore, SemaphorePermit, oneshot};

use super::suspended::Suspended;
use super::under_way::UnderWay;
use crate::ids::{CommandId, InstanceId, LockToken};
use crate::message::Message;
use crate::metadata::Status;
use crate::providers::LeasedTurn;
use crate::registry::Registry;

/// What a shard is told.
pub(crate) enum ToShard {
    /// A turn that was leased because messages wait for it.
    Turn(LeasedTurn, TurnRoom),
    /// A message in hand: it is in no queue, and becomes part of the transaction of the turn it brings.
    Deliver(Delivery),
    /// Which commands are open in memory.
    Ask(Question),
    /// Finish what is under way, then end.
    Stop,
}

/// A question about an execution in memory.
pub(crate) struct Question {
    pub(crate) instance: InstanceId,
    /// How long its history must be for the answer to be of use.
    pub(crate) history_len: u64,
    pub(crate) answer: oneshot::Sender<Option<Vec<CommandId>>>,
}

/// A place among the turns under way; free again when it is dropped.
pub(crate) type TurnRoom = OwnedSemaphorePermit;

/// A message in hand.
pub(crate) struct Delivery {
    pub(crate) instance: InstanceId,
    pub(crate) message: Message,
    pub(crate) from: Origin,
}

/// Who waits for it to be kept.
pub(crate) enum Origin {
    /// A client.
    Client(oneshot::Sender<Result<Accepted, Refusal>>),
    /// A worker: its activity is taken out of the queue by the same transaction. A shutdown waits for that.
    Worker { token: LockToken, _unsettled: Option<OwnedSemaphorePermit> },
}

/// What became of a message that was kept.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Accepted {
    /// It had its effect, or waits for the instance.
    Kept,
    /// The instance was there already, and the start asked for no more.
    Existing,
}

/// Why a message had no effect.
#[derive(Debug, Clone)]
pub(crate) enum Refusal {
    AlreadyExists,
    NotFound,
    /// Its mailbox is full.
    Full,
    Closed(Status),
    ShuttingDown,
}

/// One shard, from the outside.
pub(crate) struct ShardHandle {
    pub(crate) inbox: Sender<ToShard>,
    pub(crate) thread: Thread,
}

/// The way to the shards. One for each runtime, shared by its clients and workers.
pub(crate) struct Door {
    shards: Vec<ShardHandle>,
    pub(crate) registry: Arc<Registry>,
    closed: AtomicBool,
    /// An instance has the room of one of these, by its hash.
    rooms: Vec<Semaphore>,
    room: Semaphore,
    pub(crate) suspended: Arc<Suspended>,
    pub(crate) under_way: Arc<UnderWay>,
    /// The tags that its workers serve.
    pub(crate) tags: Arc<[String]>,
}

/// How many messages of clients may be on their way at once; more wait outside.
const ROOM: usize = 4_096;
/// In how many parts instances are divided, and how many messages of clients for those of one part may be on their way: so
/// that a flood for one instance waits on its own, and no more than a turn or two of it stands before anybody else.
const ROOMS: (usize, usize) = (256, 1_024);

impl Door {
    pub(super) fn new(
        shards: Vec<ShardHandle>,
        registry: Arc<Registry>,
        suspended: Arc<Suspended>,
        under_way: Arc<UnderWay>,
        tags: Arc<[String]>,
    ) -> Self {
        Self {
            shards,
            registry,
            closed: AtomicBool::new(false),
            rooms: (0..ROOMS.0).map(|_| Semaphore::new(ROOMS.1)).collect(),
            room: Semaphore::new(ROOM),
            suspended,
            under_way,
            tags,
        }
    }

    /// Hands a message of a client to the instance's shard, and waits until it is kept.
    pub(crate) async fn deliver(&self, instance: &InstanceId, message: Message) -> Result<Accepted, Refusal> {
        let closed = |_| Refusal::ShuttingDown;
        let _own: Option<SemaphorePermit<'_>> = match self.rooms.get(hash(instance) % ROOMS.0) {
            Some(room) => Some(room.acquire().await.map_err(closed)?),
            None => None,
        };
        let _room: SemaphorePermit<'_> = self.room.acquire().await.map_err(closed)?;
        if self.closed.load(Ordering::Acquire) {
            return Err(Refusal::ShuttingDown);
        }
        let (reply, kept) = oneshot::channel();
        let delivery = Delivery { instance: instance.clone(), message, from: Origin::Client(reply) };
        self.send(instance, ToShard::Deliver(delivery));
        kept.await.unwrap_or(Err(Refusal::ShuttingDown))
    }

    /// Hands the end of an activity to the instance's shard.
    pub(crate) fn settle(
        &self,
        instance: &InstanceId,
        message: Message,
        token: LockToken,
        unsettled: Option<OwnedSemaphorePermit>,
    ) {
        let delivery =
            Delivery { instance: instance.clone(), message, from: Origin::Worker { token, _unsettled: unsettled } };
        self.send(instance, ToShard::Deliver(delivery));
    }

    /// The commands of an execution that are open, if it is in memory and its history is so long.
    pub(crate) async fn open_commands(&self, instance: &InstanceId, history_len: u64) -> Option<Vec<CommandId>> {
        let (reply, answer) = oneshot::channel();
        let question = Question { instance: instance.clone(), history_len, answer: reply };
        self.send(instance, ToShard::Ask(question));
        answer.await.ok().flatten()
    }

    pub(crate) fn turn(&self, turn: LeasedTurn, room: TurnRoom) {
        let instance = turn.instance.clone();
        self.send(&instance, ToShard::Turn(turn, room));
    }

    /// Refuses clients from now on.
    pub(crate) fn close(&self) {
        self.closed.store(true, Ordering::Release);
        self.rooms.iter().for_each(Semaphore::close);
        self.room.close();
    }

    /// Tells all shards to end.
    pub(crate) fn stop(&self) {
        for shard in &self.shards {
            shard.send(ToShard::Stop);
        }
    }

    fn send(&self, instance: &InstanceId, message: ToShard) {
        if let Some(shard) = self.shards.get(hash(instance) % self.shards.len().max(1)) {
            shard.send(message);
        }
    }
}

fn hash(instance: &InstanceId) -> usize {
    crc32c::crc32c(instance.as_str().as_bytes()) as usize
}

impl ShardHandle {
    /// A shard that has ended hears nothing; whoever waits for an answer sees the channel close.
    fn send(&self, message: ToShard) {
        if self.inbox.send(message).is_ok() {
            self.thread.unpark();
        }
    }
}
