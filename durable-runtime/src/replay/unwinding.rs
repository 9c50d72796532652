//! How an execution is unwound: who asked for its end, what holds that off, and what is to be undone then.

use crate::history::{EventKind, Failure};
use crate::ids::EventId;
use crate::orchestration::BodyFuture;

/// Something to be undone.
struct Cleanup {
    id: u64,
    /// The saga it belongs to; without one it is for cancellation only.
    saga: Option<u64>,
    future: BodyFuture,
}

/// What the code has registered to be undone, the newest last.
///
/// What is in here may reach the journal when it is dropped, so it is taken out first and dropped by the caller.
#[derive(Default)]
pub(crate) struct Cleanups {
    stack: Vec<Cleanup>,
    ids: u64,
}

/// Which cleanups run before an end.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Undo {
    /// All: it was cancelled, or ran out of time.
    All,
    /// Those of sagas: it failed by itself.
    Sagas,
}

impl Cleanups {
    /// A number that no other cleanup and no saga of this execution has.
    pub(crate) fn next_id(&mut self) -> u64 {
        self.ids += 1;
        self.ids
    }

    pub(crate) fn push(&mut self, saga: Option<u64>, future: BodyFuture) -> u64 {
        let id = self.next_id();
        self.stack.push(Cleanup { id, saga, future });
        id
    }

    /// The newest of them all; `None` in it if it is not to be run.
    pub(crate) fn pop(&mut self, undo: Undo) -> Option<(bool, BodyFuture)> {
        let cleanup = self.stack.pop()?;
        Some((undo == Undo::All || cleanup.saga.is_some(), cleanup.future))
    }

    /// The newest of a saga.
    pub(crate) fn pop_of(&mut self, saga: u64) -> Option<BodyFuture> {
        let index = self.stack.iter().rposition(|cleanup| cleanup.saga == Some(saga))?;
        Some(self.stack.remove(index).future)
    }

    /// Takes out one that is not needed any more.
    #[must_use = "drop it outside of the journal"]
    pub(crate) fn take(&mut self, id: u64) -> Option<BodyFuture> {
        let index = self.stack.iter().position(|cleanup| cleanup.id == id)?;
        Some(self.stack.remove(index).future)
    }

    /// Takes out all, the newest first.
    #[must_use = "drop them outside of the journal"]
    pub(crate) fn take_all(&mut self) -> Vec<BodyFuture> {
        std::mem::take(&mut self.stack).into_iter().rev().map(|cleanup| cleanup.future).collect()
    }
}

/// Who asked for the end of an execution, and what holds it off.
#[derive(Default)]
pub(crate) struct Cancelling {
    requested: Option<(EventId, String)>,
    deadline: Option<String>,
    /// How many values of the code say that it decides itself.
    holders: usize,
    /// The code has said that it may be cancelled now.
    accepted: bool,
    /// How many compensations run inside of the code: they are not interrupted.
    shields: usize,
    /// How many futures wait for the request.
    waits: usize,
}

impl Cancelling {
    /// The first request stands.
    pub(super) fn request(&mut self, at: EventId, reason: &str) {
        self.requested.get_or_insert_with(|| (at, reason.to_owned()));
    }

    pub(super) fn reach_deadline(&mut self, message: &str) {
        self.deadline.get_or_insert_with(|| message.to_owned());
    }

    pub(crate) fn is_requested(&self) -> bool {
        self.requested.is_some()
    }

    pub(crate) fn requested_at(&self) -> Option<EventId> {
        self.requested.as_ref().map(|(at, _)| *at)
    }

    pub(crate) fn reason(&self) -> Option<&str> {
        self.requested.as_ref().map(|(_, reason)| reason.as_str())
    }

    pub(super) fn is_waited_for(&self) -> bool {
        self.waits > 0
    }

    pub(crate) fn hold(&mut self) {
        self.holders += 1;
    }

    pub(crate) fn let_go(&mut self) {
        self.holders = self.holders.saturating_sub(1);
    }

    pub(crate) fn accept(&mut self) {
        self.accepted = true;
    }

    pub(crate) fn shield(&mut self) {
        self.shields += 1;
    }

    pub(crate) fn unshield(&mut self) {
        self.shields = self.shields.saturating_sub(1);
    }

    pub(crate) fn wait(&mut self) {
        self.waits += 1;
    }

    pub(crate) fn wait_no_more(&mut self) {
        self.waits = self.waits.saturating_sub(1);
    }

    /// How the body is to end now, whatever it waits for.
    pub(super) fn due(&self) -> Option<EventKind> {
        if self.shields > 0 {
            return None;
        }
        if let Some(message) = &self.deadline {
            return Some(EventKind::Failed { failure: Failure::TimedOut { message: message.clone() } });
        }
        let (_, reason) = self.requested.as_ref().filter(|_| self.holders == 0 || self.accepted)?;
        Some(EventKind::Cancelled { reason: reason.clone() })
    }
}
