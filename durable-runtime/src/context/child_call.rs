//! Calls of orchestrations from an orchestration: children, and continue-as-new.

use std::fmt;
use std::marker::PhantomData;
use std::panic::Location;
use std::pin::Pin;
use std::task::{Context, Poll};

use serde::{Deserialize, Serialize};
use uuid::Uuid;

use super::OrchestrationContext;
use super::durable::DurableFuture;
use super::operation::Operation;
use crate::client::{Client, StartRequest};
use crate::history::{ClosePolicy, EventKind, Failure, Place};
use crate::ids::{CommandId, IdError, InstanceId};
use crate::orchestration::Orchestration;
use crate::payload::{CodecError, Payload, PayloadValue};
use crate::replay::current::{self, ExecutionKey};
use crate::replay::{Journal, Resolution};
use crate::shape::Infallible;

/// Who can call the orchestration `O` by its name, and what the `Call` gives: another orchestration, by `&ctx`, a
/// [`ChildCall`]; a client, by `&client`, a [`StartRequest`].
///
/// `Call` is a parameter and not an associated type: so a call with something else is one error and not two.
#[diagnostic::on_unimplemented(
    message = "an orchestration is called with `&ctx` (as a child) or `&client` (to start it), not with a `&{Self}`",
    label = "give `&OrchestrationContext` or `&Client` here"
)]
pub trait OrchestrationCaller<O: Orchestration, Call> {
    /// Prepares the call; nothing happens yet.
    #[track_caller]
    fn call(&self, arguments: O::Arguments) -> Call;
}

impl<O: Orchestration> OrchestrationCaller<O, ChildCall<O>> for OrchestrationContext {
    #[track_caller]
    fn call(&self, arguments: O::Arguments) -> ChildCall<O> {
        ChildCall {
            operation: Operation::new(self.key()),
            input: self.encode(O::NAME, &arguments),
            version: O::VERSION.to_owned(),
            id: None,
            on_close: None,
            place: Location::caller().into(),
            orchestration: PhantomData,
        }
    }
}

impl<O: Orchestration> OrchestrationCaller<O, StartRequest<O>> for Client {
    fn call(&self, arguments: O::Arguments) -> StartRequest<O> {
        StartRequest::new(self.clone(), Payload::encode(&arguments))
    }
}

/// How a child ends without its output.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
#[non_exhaustive]
pub enum ChildError<E = Infallible> {
    /// It returned this error.
    Failed(E),
    /// It was cancelled.
    Cancelled {
        /// Why.
        reason: String,
    },
    /// It was ended at once from outside.
    Terminated {
        /// Why.
        reason: String,
    },
    /// It took longer than it may: the `timeout` of its attribute.
    TimedOut {
        /// Which limit it was, with its length.
        message: String,
    },
    /// It panicked.
    Panicked {
        /// The text of the panic.
        message: String,
        /// Where.
        place: Option<String>,
    },
    /// Arguments, output or error do not decode.
    Codec {
        /// Which, and why.
        message: String,
    },
    /// It could not be started, because its id is taken or no id, or it came to a limit of the engine.
    Unavailable {
        /// Why.
        message: String,
    },
}

impl<E: PayloadValue> ChildError<E> {
    fn from_failure(failure: Failure) -> Self {
        match failure {
            Failure::Failed { error } => match error.decode() {
                Ok(error) => Self::Failed(error),
                Err(misfit) => Self::Codec { message: format!("its error does not decode: {misfit}") },
            },
            Failure::Cancelled { reason } => Self::Cancelled { reason },
            Failure::Terminated { reason } => Self::Terminated { reason },
            Failure::Panicked { message, place } => {
                Self::Panicked { message, place: place.map(|place| place.to_string()) }
            }
            Failure::Codec { message } => Self::Codec { message },
            Failure::TimedOut { message } => Self::TimedOut { message },
            Failure::Unavailable { message }
            | Failure::Poisoned { message }
            | Failure::NeverWakes { message }
            | Failure::LimitReached { message } => Self::Unavailable { message },
        }
    }
}

impl<E: fmt::Display> fmt::Display for ChildError<E> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Failed(error) => error.fmt(f),
            Self::Cancelled { reason } => write!(f, "the child was cancelled: {reason}"),
            Self::Terminated { reason } => write!(f, "the child was terminated: {reason}"),
            Self::Panicked { message, place: Some(place) } => write!(f, "the child panicked at {place}: {message}"),
            Self::Panicked { message, place: None } => write!(f, "the child panicked: {message}"),
            Self::TimedOut { message } => write!(f, "the child ran out of time: {message}"),
            Self::Codec { message } | Self::Unavailable { message } => f.write_str(message),
        }
    }
}

impl<E: fmt::Display + fmt::Debug> std::error::Error for ChildError<E> {}

/// A call of a child: a durable future of its result. It is started when it is first polled, and cancelled when it is
/// dropped before it is done.
#[must_use = "a child is not started until its call is awaited or detached"]
pub struct ChildCall<O: Orchestration> {
    operation: Operation,
    input: Result<Payload, CodecError>,
    version: String,
    id: Option<Result<InstanceId, IdError>>,
    on_close: Option<ClosePolicy>,
    place: Place,
    orchestration: PhantomData<fn() -> O>,
}

impl<O: Orchestration> ChildCall<O> {
    /// Names the instance. Without it the id is `{parent}/{execution}.{command}`.
    pub fn id(mut self, id: impl AsRef<str>) -> Self {
        self.id = Some(InstanceId::new(id));
        self
    }

    /// Another version than that of the function called.
    pub fn version(mut self, version: impl Into<String>) -> Self {
        self.version = version.into();
        self
    }

    /// What becomes of it when nobody waits for it any more: this execution ends, or its call is dropped, as by a lost race.
    /// A child that is waited for is cancelled then, and a detached one goes on, unless you say otherwise.
    ///
    /// ```standalone_crate
    /// use durable_runtime::prelude::*;
    /// use durable_runtime::testing::TestRuntime;
    ///
    /// #[orchestration]
    /// async fn deliver(ctx: OrchestrationContext, parcel: u32) -> u32 {
    ///     ctx.timer(Duration::from_secs(3_600)).await;
    ///     parcel
    /// }
    ///
    /// #[orchestration]
    /// async fn shop(ctx: OrchestrationContext) -> Result<String, ChildError> {
    ///     let delivery = deliver(&ctx, 7).id("delivery-7").on_close(ClosePolicy::Abandon);
    ///     select! {
    ///         parcel = delivery => Ok(format!("parcel {} is there", parcel?)),
    ///         () = ctx.timer(Duration::from_secs(60)) => Ok("on its way".to_owned()),
    ///     }
    /// }
    ///
    /// # #[tokio::main(flavor = "current_thread")]
    /// # async fn main() -> Result<(), Box<dyn std::error::Error>> {
    /// let runtime = TestRuntime::start().await?;
    /// assert_eq!(runtime.run(shop(&runtime.client())).await?, "on its way");
    /// let delivery = runtime.client().handle::<deliver>("delivery-7")?;
    /// assert_eq!(runtime.finish(&delivery).await?, 7);
    /// runtime.shutdown().await;
    /// # Ok(())
    /// # }
    /// ```
    pub fn on_close(mut self, policy: ClosePolicy) -> Self {
        self.on_close = Some(policy);
        self
    }

    /// Starts it and does not wait; answers with its id.
    ///
    /// # Errors
    /// [`ChildError::Unavailable`] if the id is none, [`ChildError::Codec`] if the arguments cannot be encoded.
    pub fn detach(mut self) -> Result<InstanceId, ChildError> {
        let key = self.operation.key();
        let (input, id) = self.checked::<Infallible>()?;
        self.operation.skip();
        Ok(current::with(key, |journal| {
            let instance = id.unwrap_or_else(|| child_id(journal));
            let (version, place) = (self.version.clone(), self.place.clone());
            let child = instance.clone();
            let on_close = self.on_close.unwrap_or(ClosePolicy::Abandon);
            journal.give(|command| EventKind::ChildStarted {
                command,
                name: O::NAME.to_owned(),
                version,
                instance: child,
                input,
                detached: true,
                on_close,
                place,
            });
            instance
        }))
    }

    /// Ends this execution and starts the next one of this instance with these arguments: one transaction, a fresh
    /// history, events that nobody took are kept. Nothing after its `.await` runs.
    ///
    /// ```
    /// # use durable_runtime::prelude::*;
    /// #[orchestration]
    /// async fn countdown(ctx: OrchestrationContext, left: u32) -> String {
    ///     if left == 0 {
    ///         return "lift-off".to_owned();
    ///     }
    ///     ctx.timer(Duration::from_secs(1)).await;
    ///     countdown(&ctx, left - 1).continue_as_new().await
    /// }
    /// ```
    pub fn continue_as_new<T>(mut self) -> ContinueAsNew<T> {
        let key = self.operation.key();
        self.operation.skip();
        ContinueAsNew { key, end: Some(self.next_execution()), output: PhantomData }
    }

    fn next_execution(&self) -> EventKind {
        match &self.input {
            Ok(input) => EventKind::ContinuedAsNew {
                name: O::NAME.to_owned(),
                version: self.version.clone(),
                input: input.clone(),
            },
            Err(error) => EventKind::Failed { failure: Failure::Codec { message: error.to_string() } },
        }
    }

    fn begin(&mut self, input: Payload, id: Option<InstanceId>) -> Option<Resolution> {
        let instance = id.unwrap_or_else(|| current::with(self.operation.key(), |journal| child_id(journal)));
        let (version, place, on_close) = (&self.version, &self.place, self.on_close.unwrap_or_default());
        self.operation.poll(|command| EventKind::ChildStarted {
            command,
            name: O::NAME.to_owned(),
            version: version.clone(),
            instance,
            input,
            detached: false,
            on_close,
            place: place.clone(),
        })
    }

    fn checked<E>(&self) -> Result<(Payload, Option<InstanceId>), ChildError<E>> {
        let unavailable = |message| ChildError::Unavailable { message };
        let id = self.id.clone().transpose().map_err(|error| unavailable(error.to_string()))?;
        let (facts, depth) = current::with(self.operation.key(), |journal| (journal.facts.clone(), journal.depth));
        if id.as_ref() == Some(&facts.instance) {
            return Err(unavailable(format!(
                "`{}` cannot be its own child; give the child another id",
                facts.instance
            )));
        }
        let most = facts.limits.child_depth_max;
        if depth >= most {
            let message = format!("{most} instances stand above `{}`, and that is the most", facts.instance);
            return Err(unavailable(message));
        }
        let input = (self.input.clone()).map_err(|error| ChildError::Codec { message: error.to_string() })?;
        Ok((input, id))
    }
}

/// Unique among all children of all executions of all instances: the slash and the dots keep the parts apart. An id
/// that would be too long becomes a guid over the same text.
fn child_id(journal: &Journal) -> InstanceId {
    let CommandId(command) = journal.next_command();
    let text = format!("{}/{}.{command}", journal.facts.instance, journal.facts.execution_id);
    InstanceId::new(&text).unwrap_or_else(|_| {
        let guid = Uuid::new_v5(&Uuid::NAMESPACE_OID, text.as_bytes());
        #[expect(clippy::expect_used, reason = "a guid is 36 printable characters")]
        InstanceId::new(guid.to_string()).expect("a guid is an id")
    })
}

impl<O: Orchestration> Future for ChildCall<O> {
    type Output = Result<O::Output, ChildError<O::Error>>;

    fn poll(mut self: Pin<&mut Self>, _: &mut Context<'_>) -> Poll<Self::Output> {
        let resolution = if self.operation.is_new() {
            match self.checked() {
                Ok((input, id)) => self.begin(input, id),
                Err(error) => {
                    self.operation.skip();
                    return Poll::Ready(Err(error));
                }
            }
        } else {
            self.operation.resume()
        };
        resolution.map_or(Poll::Pending, |resolution| Poll::Ready(output::<O>(resolution)))
    }
}

fn output<O: Orchestration>(resolution: Resolution) -> Result<O::Output, ChildError<O::Error>> {
    match resolution {
        Resolution::Output(output) => output.decode().map_err(|error| ChildError::Codec {
            message: format!("the output of orchestration `{}` does not decode: {error}", O::NAME),
        }),
        Resolution::Failure(failure) => Err(ChildError::from_failure(failure)),
        Resolution::Fired | Resolution::Event { .. } => {
            Err(ChildError::Codec { message: "the history answers the child with another step".to_owned() })
        }
    }
}

impl<O: Orchestration> DurableFuture for ChildCall<O> {
    fn settled_at(&self) -> Option<u64> {
        self.operation.settled_at()
    }

    fn waits_for(&self) -> Option<CommandId> {
        self.operation.command()
    }
}

impl<O: Orchestration> Unpin for ChildCall<O> {}

/// Ends the execution when it is awaited; it gives no value, so it fits where any is expected.
#[must_use = "the execution goes on unless this is awaited"]
pub struct ContinueAsNew<T> {
    key: ExecutionKey,
    end: Option<EventKind>,
    output: PhantomData<fn() -> T>,
}

impl<T> Future for ContinueAsNew<T> {
    type Output = T;

    fn poll(mut self: Pin<&mut Self>, _: &mut Context<'_>) -> Poll<T> {
        let key = self.key;
        if let Some(end) = self.end.take() {
            current::with(key, |journal| journal.finish(end));
        }
        Poll::Pending
    }
}

impl<T> DurableFuture for ContinueAsNew<T> {}
