//! Timers.

use std::pin::Pin;
use std::task::{Context, Poll};

use super::durable::DurableFuture;
use super::operation::Operation;
use crate::clock::Timestamp;
use crate::history::{EventKind, Place};
use crate::ids::CommandId;

/// Waits until a moment; the clock of the store decides, and it is never early.
#[must_use = "a timer is not set until it is awaited"]
pub struct Timer {
    operation: Operation,
    until: Until,
    place: Place,
}

pub(super) enum Until {
    After(std::time::Duration),
    At(Timestamp),
}

impl Timer {
    pub(super) fn new(operation: Operation, until: Until, place: Place) -> Self {
        Self { operation, until, place }
    }
}

impl Future for Timer {
    type Output = ();

    fn poll(mut self: Pin<&mut Self>, _: &mut Context<'_>) -> Poll<()> {
        let this = &mut *self;
        let key = this.operation.key();
        let fire_at = match this.until {
            Until::At(at) => at,
            Until::After(duration) if this.operation.is_new() => {
                let at = crate::replay::current::with(key, |journal| journal.now()).saturating_add(duration);
                this.until = Until::At(at);
                at
            }
            Until::After(_) => Timestamp::MAX,
        };
        let place = &this.place;
        match this.operation.poll(|command| EventKind::TimerSet { command, fire_at, place: place.clone() }) {
            Some(_) => Poll::Ready(()),
            None => Poll::Pending,
        }
    }
}

impl DurableFuture for Timer {
    fn settled_at(&self) -> Option<u64> {
        self.operation.settled_at()
    }

    fn waits_for(&self) -> Option<CommandId> {
        self.operation.command()
    }
}
