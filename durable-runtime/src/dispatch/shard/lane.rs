//! A lane: one instance that has something to do, and what it waits for.

use std::collections::VecDeque;
use std::pin::Pin;

use tokio::sync::OwnedSemaphorePermit;

use super::local::LocalTurn;
use crate::dispatch::door::{Accepted, Delivery, Origin, Refusal, TurnRoom};
use crate::dispatch::kept::Kept;
use crate::dispatch::load::Loaded;
use crate::dispatch::local::{CallKey, LocalEnd};
use crate::dispatch::resident::Resident;
use crate::ids::{InstanceId, LockToken, MessageId};
use crate::message::Message;
use crate::observe::TurnNotes;
use crate::providers::{CommitError, ErrorKind, LeasedTurn, ProviderError, Transaction};

/// One instance that has something to do.
#[derive(Default)]
pub(super) struct Lane {
    pub(super) inputs: VecDeque<Delivery>,
    /// How many of them were in hand when the lease was asked for. The others may be younger than what has come into
    /// the queue since.
    pub(super) asked: usize,
    pub(super) turn: Option<(LeasedTurn, TurnRoom)>,
    pub(super) busy: bool,
    /// Another lease is out; its turn, or a while, is waited for.
    pub(super) waiting: bool,
    pub(super) failures: u32,
    /// While its turn is run alone.
    pub(super) alone: Option<OwnedSemaphorePermit>,
}

/// A turn that waits to be kept.
pub(super) struct InFlight {
    pub(super) transaction: Transaction,
    pub(super) token: LockToken,
    pub(super) resident: Resident,
    pub(super) kept: Kept,
    pub(super) answers: Vec<(Delivery, Result<Accepted, Refusal>)>,
    pub(super) unwanted: Vec<MessageId>,
    pub(super) room: Option<TurnRoom>,
    pub(super) notes: TurnNotes,
    /// An earlier attempt to keep it was not answered.
    pub(super) maybe_kept: bool,
}

impl InFlight {
    /// Whether it is still not known that it was not kept. A store that cannot be reached now says nothing about an
    /// earlier attempt.
    pub(super) fn is_open(&self, error: &ProviderError) -> bool {
        error.kind() == ErrorKind::Ambiguous || (self.maybe_kept && error.is_transient())
    }
}

/// What a lane has waited for.
pub(super) enum Step {
    Leased(InstanceId, Result<Vec<LeasedTurn>, ProviderError>),
    Loaded(LeasedTurn, Option<TurnRoom>, Option<OwnedSemaphorePermit>, Result<Loaded, ProviderError>),
    LocalEnded(Box<LocalTurn>, Vec<(CallKey, LocalEnd)>),
    Committed(InstanceId, Box<InFlight>, Result<(), CommitError>),
    Enqueued(InstanceId, Vec<Delivery>, Result<(), CommitError>),
    Rested(InstanceId, Option<LockToken>),
    Waited(InstanceId),
}

pub(super) type Pending = Pin<Box<dyn Future<Output = Step>>>;

/// The first `most`; but an instance that does not exist takes its start alone, because events that were kept before may
/// be hidden until then.
pub(super) fn take_inputs(inputs: &mut VecDeque<Delivery>, most: usize, resident: &Resident) -> Vec<Delivery> {
    let is_start = |delivery: &Delivery| matches!(delivery.message, Message::Start(_));
    let first_start = inputs.iter().take(most).position(is_start);
    match first_start {
        Some(start) if matches!(resident, Resident::Absent) => inputs.remove(start).into_iter().collect(),
        _ => inputs.drain(..most).collect(),
    }
}

impl Delivery {
    /// Tells the sender, if it still listens.
    pub(super) fn answer(self, answer: Result<Accepted, Refusal>) {
        if let Origin::Client(reply) = self.from {
            let _ = reply.send(answer);
        }
    }

    pub(super) fn is_work(&self, token: Option<&LockToken>) -> bool {
        matches!((&self.from, token), (Origin::Worker { token: mine, .. }, Some(token)) if mine == token)
    }
}
