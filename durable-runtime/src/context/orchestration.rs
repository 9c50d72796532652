//! The context of an orchestration.

use std::marker::PhantomData;
use std::panic::Location;
use std::time::{Duration, SystemTime};

use serde::Serialize;
use uuid::Uuid;

use super::durable::DurableFuture;
use super::event_wait::{EventWait, passed_over};
use super::operation::Operation;
use super::timeout::Timeout;
use super::timer::{Timer, Until};
use crate::event::Event;
use crate::history::{EventKind, Place};
use crate::ids::{ExecutionId, InstanceId, check_id};
use crate::orchestration::NotSend;
use crate::payload::{CodecError, Payload, PayloadValue};
use crate::replay::Journal;
use crate::replay::current::{self, ExecutionKey};

/// The one way by which an orchestration reaches time, chance and the world: a handle to the turn that runs on this
/// thread.
///
/// It is `Copy`, so that closures and `async` blocks never fight over it, and not `Send`, because a turn has one
/// thread. All that it answers is the same in every replay.
///
/// # Panics
/// Its methods panic when it was carried out of its orchestration: there is no turn then that could answer.
#[derive(Clone, Copy)]
pub struct OrchestrationContext {
    key: ExecutionKey,
    _not_send: NotSend,
}

impl OrchestrationContext {
    pub(crate) fn new(key: ExecutionKey) -> Self {
        Self { key, _not_send: PhantomData }
    }

    pub(super) fn key(&self) -> ExecutionKey {
        self.key
    }

    /// The arguments of a call, encoded and not too long.
    #[track_caller]
    pub(super) fn encode<T: Serialize>(&self, what: &str, arguments: &T) -> Result<Payload, CodecError> {
        let payload = Payload::encode(arguments)?;
        self.check_length(&payload, || format!("the arguments of `{what}` have"))?;
        Ok(payload)
    }

    #[track_caller]
    fn check_length(&self, payload: &Payload, what: impl FnOnce() -> String) -> Result<(), CodecError> {
        let (bytes, most) = (payload.len(), self.ask(|journal| journal.facts.limits.payload_bytes_max));
        if bytes > most {
            return Err(CodecError::new(format!("{} {bytes} bytes; at most {most} are kept", what())));
        }
        Ok(())
    }

    #[track_caller]
    #[expect(clippy::panic, reason = "documented; it fails the orchestration with message and place")]
    fn expect_encoded(&self, name: &str, encoded: Result<Payload, CodecError>) -> Payload {
        let checked = encoded.and_then(|value| {
            self.check_length(&value, || "the value has".to_owned())?;
            Ok(value)
        });
        match checked {
            Ok(value) => value,
            Err(error) => panic!("`{name}`: {error}"),
        }
    }

    #[track_caller]
    pub(super) fn ask<R>(&self, ask: impl FnOnce(&mut Journal) -> R) -> R {
        current::with(self.key, ask)
    }

    /// Waits for this long; see [`OrchestrationContext::sleep_until`].
    ///
    /// ```
    /// # use durable_runtime::prelude::*;
    /// #[orchestration]
    /// async fn reminder(ctx: OrchestrationContext, text: String) -> String {
    ///     ctx.timer(Duration::from_secs(86_400)).await; // a process that is restarted meanwhile does no harm
    ///     text
    /// }
    /// ```
    #[track_caller]
    pub fn timer(&self, duration: Duration) -> Timer {
        Timer::new(Operation::new(self.key), Until::After(duration), Location::caller().into())
    }

    /// Waits until this moment by the clock of the store, never less; a past one is due at once. Moments after the
    /// year 9999 count as its end.
    #[track_caller]
    pub fn sleep_until(&self, moment: SystemTime) -> Timer {
        Timer::new(Operation::new(self.key), Until::At(moment.into()), Location::caller().into())
    }

    /// Waits for a durable future, but no longer than this; what is not done by then is cancelled. Which of the two was
    /// first is a fact of the history.
    ///
    /// ```
    /// # use durable_runtime::prelude::*;
    /// # #[derive(Event, Serialize, Deserialize)] struct Approved { by: String }
    /// #[orchestration]
    /// async fn approve(ctx: OrchestrationContext) -> String {
    ///     match ctx.timeout(Duration::from_secs(86_400), ctx.event::<Approved>()).await {
    ///         Ok(approved) => format!("approved by {}", approved.by),
    ///         Err(elapsed) => format!("not approved: {elapsed}"),
    ///     }
    /// }
    /// ```
    #[track_caller]
    pub fn timeout<F: IntoFuture>(&self, limit: Duration, future: F) -> Timeout<F::IntoFuture>
    where
        F::IntoFuture: DurableFuture,
    {
        Timeout::new(future, self.timer(limit))
    }

    /// The moment of the event that the code runs because of. It stands still until the next `.await` that waits.
    #[track_caller]
    pub fn now(&self) -> SystemTime {
        self.ask(|journal| journal.now()).into()
    }

    /// A guid that a replay draws again. Unique, but no secret: whoever knows the instance can compute it.
    #[track_caller]
    pub fn new_guid(&self) -> Uuid {
        self.ask(Journal::draw)
    }

    /// A number that a replay draws again: a seed for a generator, or chance enough for a choice. No secret.
    #[track_caller]
    pub fn random(&self) -> u64 {
        self.ask(Journal::draw).as_u64_pair().0
    }

    /// Waits for the next event of this type; earlier ones are kept, and come in the order in which they were raised.
    /// One that does not decode is passed over with a warning; it stays in the history.
    #[track_caller]
    pub fn event<T: Event>(&self) -> EventWait<T> {
        EventWait::new(Operation::new(self.key), T::NAME.to_owned(), Location::caller().into())
    }

    /// As [`OrchestrationContext::event`], for a name that is known at run time only.
    ///
    /// # Panics
    /// If no event can have this name: it is empty, longer than 512 bytes or has control characters. The orchestration fails
    /// by it, instead of waiting for ever.
    #[track_caller]
    #[expect(clippy::panic, reason = "documented; it fails the orchestration with message and place")]
    pub fn event_named<T: PayloadValue>(&self, name: impl Into<String>) -> EventWait<T> {
        let name = name.into();
        if let Err(error) = check_id("event name", &name) {
            panic!("`event_named`: {error}");
        }
        EventWait::new(Operation::new(self.key), name, Location::caller().into())
    }

    /// Takes the oldest event of this type that was raised and not taken; does not wait. One that does not decode is
    /// passed over with a warning.
    #[track_caller]
    pub fn try_event<T: Event>(&self) -> Option<T> {
        loop {
            let value = self.ask(|journal| journal.try_event(T::NAME))?;
            match value.decode() {
                Ok(event) => return Some(event),
                Err(_) => passed_over::<T>(T::NAME, &value),
            }
        }
    }

    /// Runs a closure once and records its value; a replay takes the recorded one. For short, harmless things that
    /// are no activity's worth: reading a setting, asking for the host name. If the process dies in the same turn,
    /// it runs again.
    ///
    /// # Panics
    /// If the value cannot be encoded or is longer than a payload may be, or a recorded one is of another type; the
    /// orchestration fails by it.
    #[track_caller]
    pub fn side_effect<T: PayloadValue>(&self, name: &str, run: impl FnOnce() -> T) -> T {
        let place = Place::from(Location::caller());
        let recorded = self.ask(|journal| journal.is_replaying().then(|| journal.recorded_value()).flatten());
        let value = match recorded {
            Some(value) => value,
            None => self.expect_encoded(name, run().to_payload()),
        };
        self.ask(|journal| {
            let value = value.clone();
            journal.give(|command| EventKind::SideEffectRecorded { command, name: name.to_owned(), value, place });
        });
        expect_decoded(name, &value)
    }

    /// Shows a status of your own to whoever asks for the instance. Replaces the one before.
    ///
    /// # Panics
    /// If the value cannot be encoded, or is longer than a payload may be; the orchestration fails by it.
    #[track_caller]
    pub fn set_status<T: Serialize + ?Sized>(&self, status: &T) {
        let status = self.expect_encoded("set_status", Payload::encode(status));
        self.ask(|journal| journal.set_custom_status(status));
    }

    /// The id of the instance.
    #[track_caller]
    pub fn instance_id(&self) -> InstanceId {
        self.ask(|journal| journal.facts.instance.clone())
    }

    /// Which execution of the instance this is: 1, and one more with each continue-as-new.
    #[track_caller]
    pub fn execution_id(&self) -> ExecutionId {
        self.ask(|journal| journal.facts.execution_id)
    }

    /// Whether the code runs over what is recorded. For nothing that has to do with decisions.
    #[track_caller]
    pub fn is_replaying(&self) -> bool {
        self.ask(|journal| journal.is_replaying())
    }

    /// How many events the history had when the code was last woken: a reason to continue as new.
    #[track_caller]
    pub fn history_len(&self) -> u64 {
        self.ask(|journal| journal.position()).0
    }

    /// Whether the history has come to a tenth of what it may have, in events or in bytes, when the code was last woken: a
    /// good place to continue as new. The [limits](crate::Limits) of the runtime decide; change them only together with
    /// the version of an orchestration that asks for this.
    ///
    /// ```
    /// use durable_runtime::prelude::*;
    ///
    /// #[orchestration]
    /// async fn counts(ctx: OrchestrationContext, mut sum: u64) -> u64 {
    ///     while !ctx.is_continue_as_new_suggested() {
    ///         sum += ctx.event::<Counted>().await.by;
    ///     }
    ///     counts(&ctx, sum).continue_as_new().await
    /// }
    ///
    /// #[derive(Event, Serialize, Deserialize)]
    /// struct Counted {
    ///     by: u64,
    /// }
    /// ```
    #[track_caller]
    pub fn is_continue_as_new_suggested(&self) -> bool {
        self.ask(|journal| journal.is_long())
    }
}

impl std::fmt::Debug for OrchestrationContext {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str("OrchestrationContext")
    }
}

#[track_caller]
#[expect(clippy::panic, reason = "documented; it fails the orchestration with message and place")]
fn expect_decoded<T: PayloadValue>(name: &str, value: &Payload) -> T {
    match value.decode() {
        Ok(value) => value,
        Err(error) => panic!("`{name}`: the recorded value does not decode: {error}"),
    }
}
