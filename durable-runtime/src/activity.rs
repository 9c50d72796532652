//! Activities, as the engine sees them: a name, settings, and a body to run.

use std::any::{Any, TypeId};
use std::fmt;
use std::marker::PhantomData;
use std::ops::Deref;
use std::pin::Pin;
use std::sync::Arc;
use std::time::Duration;

use serde::Serialize;
use serde::de::DeserializeOwned;

use crate::context::ActivityContext;
use crate::history::{ActivitySettings, Failure, Place};
use crate::orchestration::outcome;
use crate::payload::{Payload, PayloadValue};
use crate::retry::RetryPolicy;
use crate::shape::Shape;

/// A function under `#[activity]`. Only the macro implements it.
pub trait Activity: Sized + 'static {
    /// Its name, unless the attribute gives another: that of the function.
    const NAME: &'static str;
    /// What the attribute says about running it.
    const OPTIONS: ActivityOptions;
    /// Where it stands.
    const PLACE: Place;
    /// Its arguments, as one object by name.
    type Arguments: Serialize + DeserializeOwned + 'static;
    /// What it returns, or what its `Result` has on success.
    type Output: PayloadValue;
    /// The error of its `Result`; [`Infallible`](crate::Infallible) if it returns none.
    type Error: PayloadValue;

    /// Makes the body of one attempt.
    ///
    /// # Errors
    /// [`MissingState`] if the runtime was built without a state that it takes.
    fn invoke(context: ActivityContext, arguments: Self::Arguments) -> Result<ActivityBody, MissingState>;

    /// Whether no other attempt can help after this error.
    fn is_terminal(_: &Self::Error) -> bool {
        false
    }

    /// The states that it takes.
    fn states() -> Vec<StateKey> {
        Vec::new()
    }
}

/// What the attribute of an activity says about running it.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct ActivityOptions {
    pub(crate) retry: Option<RetryPolicy>,
    pub(crate) timeout: Option<Duration>,
    pub(crate) heartbeat_timeout: Option<Duration>,
    pub(crate) schedule_to_start: Option<Duration>,
    pub(crate) schedule_to_close: Option<Duration>,
    pub(crate) tag: Option<&'static str>,
    pub(crate) concurrent_max: Option<u32>,
    pub(crate) local: bool,
}

impl ActivityOptions {
    /// Nothing is said.
    pub const NONE: Self = Self {
        retry: None,
        timeout: None,
        heartbeat_timeout: None,
        schedule_to_start: None,
        schedule_to_close: None,
        tag: None,
        concurrent_max: None,
        local: false,
    };

    /// How often it is tried.
    #[must_use]
    pub const fn retry(mut self, policy: RetryPolicy) -> Self {
        self.retry = Some(policy);
        self
    }

    /// How long one attempt may take.
    #[must_use]
    pub const fn timeout_ms(mut self, millis: u64) -> Self {
        self.timeout = Some(Duration::from_millis(millis));
        self
    }

    /// How long it may be silent.
    #[must_use]
    pub const fn heartbeat_timeout_ms(mut self, millis: u64) -> Self {
        self.heartbeat_timeout = Some(Duration::from_millis(millis));
        self
    }

    /// How long it may wait for its first attempt.
    #[must_use]
    pub const fn schedule_to_start_ms(mut self, millis: u64) -> Self {
        self.schedule_to_start = Some(Duration::from_millis(millis));
        self
    }

    /// How long it may take in all.
    #[must_use]
    pub const fn schedule_to_close_ms(mut self, millis: u64) -> Self {
        self.schedule_to_close = Some(Duration::from_millis(millis));
        self
    }

    /// How many of it run at once in one runtime.
    #[must_use]
    pub const fn max_concurrent(mut self, most: u32) -> Self {
        self.concurrent_max = Some(most);
        self
    }

    /// Its first attempt runs in the turn that asks for it.
    #[must_use]
    pub const fn local(mut self) -> Self {
        self.local = true;
        self
    }

    /// Which workers may take it.
    #[must_use]
    pub const fn tag(mut self, tag: &'static str) -> Self {
        self.tag = Some(tag);
        self
    }

    pub(crate) fn settings(self) -> ActivitySettings {
        ActivitySettings {
            retry: self.retry,
            timeout: self.timeout,
            heartbeat_timeout: self.heartbeat_timeout,
            schedule_to_start: self.schedule_to_start,
            schedule_to_close: self.schedule_to_close,
            tag: self.tag.map(str::to_owned),
            session: None,
            local: self.local,
        }
    }
}

/// An error that knows which of its kinds no other attempt can help. Made by
/// [`#[derive(ActivityError)]`](derive@crate::ActivityError).
///
/// ```standalone_crate
/// use durable_runtime::client::ResultError;
/// use durable_runtime::prelude::*;
///
/// #[derive(Debug, Serialize, Deserialize, thiserror::Error, ActivityError)]
/// enum PaymentError {
///     #[terminal]
///     #[error("card declined")]
///     Declined,
///     #[error("the bank does not answer")]
///     NoAnswer,
/// }
///
/// #[activity(retry(max_attempts = 5, initial = "1ms"))]
/// async fn charge_card(ctx: ActivityContext) -> Result<u64, PaymentError> {
///     if ctx.attempt() == 1 { Err(PaymentError::NoAnswer) } else { Err(PaymentError::Declined) }
/// }
///
/// #[orchestration]
/// async fn pay(ctx: OrchestrationContext) -> Result<u64, ActivityError<PaymentError>> {
///     charge_card(&ctx).await
/// }
///
/// # #[tokio::main(flavor = "current_thread")]
/// # async fn main() -> Result<(), Box<dyn std::error::Error>> {
/// let runtime = Runtime::builder(MemoryProvider::new()).start().await?;
/// let handle = pay(&runtime.client()).start().await?;
/// let error = handle.result().await.unwrap_err();
/// assert!(matches!(error, ResultError::Failed(ActivityError::Failed(PaymentError::Declined)))); // the second attempt was the last
/// runtime.shutdown(Duration::from_secs(5)).await;
/// # Ok(())
/// # }
/// ```
///
/// An error of another crate is judged by a function: `#[activity(terminal = is_final)]` with
/// `fn is_final(error: &TheirError) -> bool`.
pub trait TerminalError {
    /// Whether this is one of them.
    fn is_terminal(&self) -> bool;
}

/// Asks an error whether it is terminal, if it can say so: an inherent function, where there is one, wins over that of a
/// trait.
pub struct TerminalProbe<E>(PhantomData<E>);

impl<E: TerminalError> TerminalProbe<E> {
    /// What it says.
    pub fn is_terminal(error: &E) -> bool {
        error.is_terminal()
    }
}

/// What [`TerminalProbe`] says of all other errors.
pub trait NeverTerminal<E> {
    /// It is not.
    fn is_terminal(_: &E) -> bool {
        false
    }
}

impl<E> NeverTerminal<E> for TerminalProbe<E> {}

/// What an attempt comes to.
pub(crate) type AttemptOutcome = Result<Payload, AttemptFailure>;

/// Why an attempt failed.
#[derive(Debug)]
pub struct AttemptFailure {
    pub(crate) failure: Failure,
    /// No other attempt can help.
    pub(crate) terminal: bool,
}

impl From<Failure> for AttemptFailure {
    fn from(failure: Failure) -> Self {
        Self { failure, terminal: false }
    }
}

pub(crate) fn attempt_outcome<A: Activity>(result: Result<A::Output, A::Error>) -> AttemptOutcome {
    let terminal = result.as_ref().is_err_and(A::is_terminal);
    outcome(result).map_err(|failure| AttemptFailure { failure, terminal })
}

/// The body of one attempt.
pub enum ActivityBody {
    /// Runs on the async threads.
    Async(Pin<Box<dyn Future<Output = AttemptOutcome> + Send>>),
    /// Runs on a thread of its own.
    Blocking(Box<dyn FnOnce() -> AttemptOutcome + Send>),
}

/// Wraps an async body.
pub fn async_body<A: Activity, Ret, const R: bool, F>(future: F) -> ActivityBody
where
    F: Future<Output = Ret> + Send + 'static,
    Ret: Shape<R, Ok = A::Output, Err = A::Error>,
{
    ActivityBody::Async(Box::pin(async move { attempt_outcome::<A>(future.await.into_result()) }))
}

/// Wraps a blocking body.
pub fn blocking_body<A: Activity, Ret, const R: bool, F>(run: F) -> ActivityBody
where
    F: FnOnce() -> Ret + Send + 'static,
    Ret: Shape<R, Ok = A::Output, Err = A::Error>,
{
    ActivityBody::Blocking(Box::new(move || attempt_outcome::<A>(run().into_result())))
}

/// A value of the application that activities share, given to the runtime by
/// [`RuntimeBuilder::state`](crate::RuntimeBuilder::state) and taken as an argument.
pub struct State<T: ?Sized>(Arc<T>);

impl<T> State<T> {
    /// For calling the body of an activity in a test.
    pub fn new(value: T) -> Self {
        Self(Arc::new(value))
    }
}

impl<T: ?Sized> Clone for State<T> {
    fn clone(&self) -> Self {
        Self(Arc::clone(&self.0))
    }
}

impl<T: ?Sized> Deref for State<T> {
    type Target = T;

    fn deref(&self) -> &T {
        &self.0
    }
}

impl<T: ?Sized + fmt::Debug> fmt::Debug for State<T> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.0.fmt(f)
    }
}

/// Takes a state out of the context.
///
/// # Errors
/// [`MissingState`] if the runtime was built without it.
pub fn state<T: Send + Sync + 'static>(context: &ActivityContext) -> Result<State<T>, MissingState> {
    let key = StateKey::of::<T>();
    let value = context.states().get(&key).and_then(|value| Arc::clone(value).downcast::<T>().ok());
    value.map(State).ok_or(MissingState { type_name: key.type_name })
}

/// The type of a state.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub struct StateKey {
    id: TypeId,
    pub(crate) type_name: &'static str,
}

impl StateKey {
    /// That of `T`.
    pub fn of<T: Send + Sync + 'static>() -> Self {
        Self { id: TypeId::of::<T>(), type_name: std::any::type_name::<T>() }
    }
}

/// The states of a runtime.
pub(crate) type States = std::collections::BTreeMap<StateKey, Arc<dyn Any + Send + Sync>>;

/// An activity takes a state that the runtime was built without.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("no state of type `{type_name}` was given to the runtime; add `.state(..)` to its builder")]
pub struct MissingState {
    /// The type.
    pub type_name: &'static str,
}

/// Says for how long an attempt is put off: the key and the number of the attempt, and how long it may take.
pub(crate) type PutOff = dyn Fn(&str, u32, Option<Duration>) -> Option<Duration> + Send + Sync;

type Invoke = dyn Fn(ActivityContext, &Payload) -> Result<ActivityBody, Failure> + Send + Sync;

/// What the registry keeps of an activity.
#[derive(Clone)]
pub(crate) struct ActivityHandler {
    pub(crate) name: &'static str,
    pub(crate) place: Place,
    pub(crate) states: Vec<StateKey>,
    pub(crate) concurrent_max: Option<u32>,
    pub(crate) invoke: Arc<Invoke>,
    /// Asked before each attempt, by a runtime for tests.
    pub(crate) put_off: Option<Arc<PutOff>>,
}

impl ActivityHandler {
    pub(crate) fn of<A: Activity>() -> Self {
        Self {
            name: A::NAME,
            place: A::PLACE,
            states: A::states(),
            concurrent_max: A::OPTIONS.concurrent_max,
            invoke: Arc::new(invoke::<A>),
            put_off: None,
        }
    }
}

fn invoke<A: Activity>(context: ActivityContext, input: &Payload) -> Result<ActivityBody, Failure> {
    let arguments = input.read::<A::Arguments>().map_err(|error| Failure::Codec {
        message: format!("the arguments of activity `{}` do not decode: {error}", A::NAME),
    })?;
    A::invoke(context, arguments).map_err(|error| Failure::Unavailable { message: error.to_string() })
}

/// An activity that the macro announces.
pub struct ActivityRegistration {
    pub(crate) handler: fn() -> ActivityHandler,
}

impl ActivityRegistration {
    /// Announces this one.
    pub const fn of<A: Activity>() -> Self {
        Self { handler: ActivityHandler::of::<A> }
    }
}

inventory::collect!(ActivityRegistration);
