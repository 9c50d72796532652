//! Orchestrations, as the engine sees them: a name, a version, and a future to begin.

use std::fmt;
use std::marker::PhantomData;
use std::pin::Pin;
use std::rc::Rc;
use std::time::Duration;

use serde::Serialize;
use serde::de::DeserializeOwned;

use crate::context::{DurableFuture, OrchestrationContext};
use crate::history::{Failure, Place};
use crate::outline::Outline;
use crate::payload::{CodecError, Payload, PayloadValue};
use crate::shape::Shape;

/// A function under `#[orchestration]`. Only the macro implements it.
pub trait Orchestration: Sized + 'static {
    /// Its name, unless the attribute gives another: that of the function.
    const NAME: &'static str;
    /// Its version: `1.0.0` unless the attribute says otherwise.
    const VERSION: &'static str;
    /// A number over its outline: another one means that its durable calls have changed.
    const FINGERPRINT: u64;
    /// Its durable calls, branches and loops.
    const OUTLINE: &'static Outline;
    /// Where it stands.
    const PLACE: Place;
    /// How long one execution may take; `None` for as long as it likes.
    const TIMEOUT: Option<Duration> = None;
    /// Its arguments, as one object by name.
    type Arguments: Serialize + DeserializeOwned + 'static;
    /// What it returns, or what its `Result` has on success.
    type Output: PayloadValue;
    /// The error of its `Result`; [`Infallible`](crate::Infallible) if it returns none.
    type Error: PayloadValue;

    /// Makes the future of one execution.
    fn begin(context: OrchestrationContext, arguments: Self::Arguments) -> BodyFuture;
}

/// What an execution comes to.
pub type BodyOutcome = Result<Payload, Failure>;

/// The future of an execution.
pub type BodyFuture = Pin<Box<dyn Future<Output = BodyOutcome>>>;

/// Wraps the body of an orchestration: its output and its error become payloads.
pub fn body<O: Orchestration, Ret, const R: bool, F>(future: F) -> BodyFuture
where
    F: DurableFuture<Output = Ret> + 'static,
    Ret: Shape<R, Ok = O::Output, Err = O::Error> + 'static,
{
    Box::pin(async move { outcome(future.await.into_result()) })
}

/// A result as it is stored.
pub(crate) fn outcome<T: PayloadValue, E: PayloadValue>(result: Result<T, E>) -> BodyOutcome {
    let encoded = match result {
        Ok(output) => output.to_payload().map(Ok),
        Err(error) => error.to_payload().map(|error| Err(Failure::Failed { error })),
    };
    encoded.unwrap_or_else(|error| Err(Failure::Codec { message: format!("the result cannot be stored: {error}") }))
}

type Begin = dyn Fn(OrchestrationContext, &Payload) -> Result<BodyFuture, Failure> + Send + Sync;

/// What the registry keeps of an orchestration.
#[derive(Clone)]
pub(crate) struct OrchestrationHandler {
    pub(crate) name: &'static str,
    pub(crate) version: &'static str,
    pub(crate) fingerprint: u64,
    pub(crate) place: Place,
    pub(crate) outline: &'static Outline,
    pub(crate) timeout: Option<Duration>,
    pub(crate) begin: std::sync::Arc<Begin>,
    /// Whether these can be its arguments.
    pub(crate) check: fn(&Payload) -> Result<(), CodecError>,
}

impl OrchestrationHandler {
    pub(crate) fn of<O: Orchestration>() -> Self {
        Self {
            name: O::NAME,
            version: O::VERSION,
            fingerprint: O::FINGERPRINT,
            place: O::PLACE,
            outline: O::OUTLINE,
            timeout: O::TIMEOUT,
            begin: std::sync::Arc::new(begin::<O>),
            check: |input| input.read::<O::Arguments>().map(drop).map_err(|error| misfit::<O>(&error)),
        }
    }
}

impl fmt::Debug for OrchestrationHandler {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{} {} ({})", self.name, self.version, self.place)
    }
}

fn misfit<O: Orchestration>(error: &CodecError) -> CodecError {
    CodecError::new(format!("the arguments of orchestration `{}` do not decode: {error}", O::NAME))
}

fn begin<O: Orchestration>(context: OrchestrationContext, input: &Payload) -> Result<BodyFuture, Failure> {
    let arguments =
        input.read::<O::Arguments>().map_err(|error| Failure::Codec { message: misfit::<O>(&error).to_string() })?;
    Ok(O::begin(context, arguments))
}

/// An orchestration that the macro announces.
pub struct OrchestrationRegistration {
    pub(crate) handler: fn() -> OrchestrationHandler,
}

impl OrchestrationRegistration {
    /// Announces this one.
    pub const fn of<O: Orchestration>() -> Self {
        Self { handler: OrchestrationHandler::of::<O> }
    }
}

inventory::collect!(OrchestrationRegistration);

/// Ties a type to one thread.
pub(crate) type NotSend = PhantomData<Rc<()>>;
