//! Waits for events from outside.

use std::marker::PhantomData;
use std::pin::Pin;
use std::task::{Context, Poll};

use super::durable::DurableFuture;
use super::operation::Operation;
use crate::history::{EventKind, Place};
use crate::ids::CommandId;
use crate::payload::{Payload, PayloadValue};
use crate::replay::{Resolution, current};

/// Waits for an event of a name; earlier ones are kept, and come in the order in which they were raised.
#[must_use = "an event is not waited for until this is awaited"]
pub struct EventWait<T> {
    operation: Operation,
    name: String,
    place: Place,
    value: PhantomData<fn() -> T>,
}

impl<T> EventWait<T> {
    pub(super) fn new(operation: Operation, name: String, place: Place) -> Self {
        Self { operation, name, place, value: PhantomData }
    }

    fn next(&mut self) -> Option<(CommandId, Payload)> {
        let waiting = self.operation.command();
        let next = current::with(self.operation.key(), |journal| journal.next_command());
        let (name, place) = (&self.name, &self.place);
        let resolution = self.operation.poll_event(name, |command| EventKind::EventAwaited {
            command,
            name: name.clone(),
            place: place.clone(),
        });
        match resolution {
            Some(Resolution::Event { value, .. }) => Some((waiting.unwrap_or(next), value)),
            _ => None,
        }
    }
}

impl<T: PayloadValue> Future for EventWait<T> {
    type Output = T;

    fn poll(mut self: Pin<&mut Self>, _: &mut Context<'_>) -> Poll<T> {
        while let Some((command, value)) = self.next() {
            match value.decode() {
                Ok(value) => return Poll::Ready(value),
                Err(_) => {
                    passed_over::<T>(&self.name, &value);
                    let name = self.name.clone();
                    self.operation.wait_again(&name, command);
                }
            }
        }
        Poll::Pending
    }
}

/// Says so without the error, which may quote the value.
pub(super) fn passed_over<T>(event: &str, value: &Payload) {
    let (expected, bytes) = (std::any::type_name::<T>(), value.len());
    tracing::warn!(event, expected, bytes, "an event that does not fit is passed over");
}

impl<T: PayloadValue> DurableFuture for EventWait<T> {
    fn settled_at(&self) -> Option<u64> {
        if self.operation.is_new() {
            let oldest = current::try_with(self.operation.key(), |journal| journal.oldest_event(&self.name));
            return oldest.flatten().map(|event| event.0);
        }
        self.operation.settled_at()
    }
}
