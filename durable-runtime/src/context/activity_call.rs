//! Calls of activities.

use std::fmt;
use std::marker::PhantomData;
use std::panic::Location;
use std::pin::Pin;
use std::task::{Context, Poll};
use std::time::Duration;

use serde::{Deserialize, Serialize};

use super::OrchestrationContext;
use super::durable::DurableFuture;
use super::operation::Operation;
use crate::activity::Activity;
use crate::history::{ActivitySettings, EventKind, Failure, Place};
use crate::ids::{CommandId, check_id};
use crate::payload::{CodecError, Payload, PayloadValue};
use crate::replay::Resolution;
use crate::retry::RetryPolicy;
use crate::shape::Infallible;

/// How a call of an activity ends without its output.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
#[non_exhaustive]
pub enum ActivityError<E = Infallible> {
    /// It returned this error, in its last attempt.
    Failed(E),
    /// Its last attempt did not end in time.
    TimedOut {
        /// Which limit it was, with its length.
        message: String,
    },
    /// It was cancelled.
    Cancelled {
        /// Why.
        reason: String,
    },
    /// Its last attempt panicked.
    Panicked {
        /// The text of the panic.
        message: String,
        /// Where.
        place: Option<String>,
    },
    /// An argument did not decode, the output could not be encoded, or the output does not decode.
    Codec {
        /// Which, and why.
        message: String,
    },
    /// It could not be started.
    Unavailable {
        /// Why.
        message: String,
    },
}

impl<E: PayloadValue> ActivityError<E> {
    fn from_failure(failure: Failure) -> Self {
        match failure {
            Failure::Failed { error } => match error.decode() {
                Ok(error) => Self::Failed(error),
                Err(misfit) => Self::Codec { message: format!("its error does not decode: {misfit}") },
            },
            Failure::TimedOut { message } => Self::TimedOut { message },
            Failure::Cancelled { reason } | Failure::Terminated { reason } => Self::Cancelled { reason },
            Failure::Panicked { message, place } => {
                Self::Panicked { message, place: place.map(|place| place.to_string()) }
            }
            Failure::Codec { message } => Self::Codec { message },
            Failure::Unavailable { message }
            | Failure::Poisoned { message }
            | Failure::NeverWakes { message }
            | Failure::LimitReached { message } => Self::Unavailable { message },
        }
    }
}

impl<E: fmt::Display> fmt::Display for ActivityError<E> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Failed(error) => error.fmt(f),
            Self::TimedOut { message } => write!(f, "the activity timed out: {message}"),
            Self::Cancelled { reason } => write!(f, "the activity was cancelled: {reason}"),
            Self::Panicked { message, place: Some(place) } => write!(f, "the activity panicked at {place}: {message}"),
            Self::Panicked { message, place: None } => write!(f, "the activity panicked: {message}"),
            Self::Codec { message } | Self::Unavailable { message } => f.write_str(message),
        }
    }
}

impl<E: fmt::Display + fmt::Debug> std::error::Error for ActivityError<E> {}

/// A call of an activity: a durable future of its result. The activity is scheduled when it is first polled, and
/// cancelled when it is dropped before it is done.
///
/// ```standalone_crate
/// use durable_runtime::prelude::*;
///
/// #[activity(retry(max_attempts = 3, initial = "200ms", jitter = 0.2), timeout = "1m")]
/// async fn render(page: u32) -> String {
///     format!("page {page}")
/// }
///
/// #[orchestration]
/// async fn print(ctx: OrchestrationContext) -> Result<String, ActivityError> {
///     let first = render(&ctx, 1).timeout(Duration::from_secs(10)).retry(RetryPolicy::attempts(2)).await?;
///     // Nobody serves this tag: that is an error after a while, and no silence.
///     let on_gpu = render(&ctx, 2).tag("gpu").schedule_to_start(Duration::from_millis(5)).await;
///     assert!(matches!(on_gpu, Err(ActivityError::TimedOut { .. })));
///     Ok(first)
/// }
///
/// # #[tokio::main(flavor = "current_thread")]
/// # async fn main() -> Result<(), Box<dyn std::error::Error>> {
/// let runtime = Runtime::builder(MemoryProvider::new()).start().await?;
/// assert_eq!(print(&runtime.client()).start().await?.result().await?, "page 1");
/// runtime.shutdown(Duration::from_secs(5)).await;
/// # Ok(())
/// # }
/// ```
#[must_use = "an activity is not scheduled until its call is awaited"]
pub struct ActivityCall<A: Activity> {
    operation: Operation,
    input: Result<Payload, CodecError>,
    settings: ActivitySettings,
    place: Place,
    activity: PhantomData<fn() -> A>,
}

/// What the macro makes of a call by the function's name.
#[track_caller]
pub fn call_activity<A: Activity>(context: &OrchestrationContext, arguments: A::Arguments) -> ActivityCall<A> {
    ActivityCall {
        operation: Operation::new(context.key()),
        input: context.encode(A::NAME, &arguments),
        settings: A::OPTIONS.settings(),
        place: Location::caller().into(),
        activity: PhantomData,
    }
}

impl<A: Activity> ActivityCall<A> {
    /// How often it is tried, instead of what the attribute says.
    pub fn retry(mut self, policy: RetryPolicy) -> Self {
        self.settings.retry = Some(policy);
        self
    }

    /// How long one attempt may take, instead of what the attribute says.
    pub fn timeout(mut self, timeout: Duration) -> Self {
        self.settings.timeout = Some(timeout);
        self
    }

    /// How long it may be without a heartbeat, instead of what the attribute says.
    pub fn heartbeat_timeout(mut self, timeout: Duration) -> Self {
        self.settings.heartbeat_timeout = Some(timeout);
        self
    }

    /// How long it may wait for its first attempt, instead of what the attribute says: then it fails with
    /// [`ActivityError::TimedOut`]. So a tag that nobody serves is an error and no silence. Waits between attempts do not
    /// count.
    pub fn schedule_to_start(mut self, limit: Duration) -> Self {
        self.settings.schedule_to_start = Some(limit);
        self
    }

    /// How long it may take in all, waits and attempts together, instead of what the attribute says: then it fails with
    /// [`ActivityError::TimedOut`], and a running attempt is cancelled.
    pub fn schedule_to_close(mut self, limit: Duration) -> Self {
        self.settings.schedule_to_close = Some(limit);
        self
    }

    /// Which workers may take it, instead of what the attribute says.
    pub fn tag(mut self, tag: impl Into<String>) -> Self {
        self.settings.tag = Some(tag.into());
        self
    }

    /// Runs it in the same runtime as all other activities of this session, so that they can share a file or a connection.
    /// A runtime has a session from its first activity until none of them has run for as long as a lease lasts, or until
    /// it dies; then another one takes it over, so an activity must be able to begin anew there.
    pub fn session(mut self, session: impl Into<String>) -> Self {
        self.settings.session = Some(session.into());
        self
    }

    /// Runs its first attempt in the turn that asks for it: it goes through no queue, and what it returns is kept by the
    /// transaction of that turn, so a hundred short ones cost one flush. For what is quick and can be done again without
    /// harm: if the process dies before the turn is kept, all that ran in it runs again.
    ///
    /// Meanwhile nothing else reaches the instance, no event and no timer, and `ctx.now()` stands still. So it is an
    /// ordinary activity from then on if all those of one turn take longer than a second together, if there are more than
    /// 256 of them, or if the attempt fails and is to be tried again. It is one from the start if its body is not async, if it
    /// has a tag, a session or a cap, if every slot is taken, or if nobody here has it.
    ///
    /// ```standalone_crate
    /// use durable_runtime::prelude::*;
    ///
    /// #[activity]
    /// async fn price_of(part: u32) -> u32 {
    ///     part * 100 // a look into a cache
    /// }
    ///
    /// #[orchestration]
    /// async fn quote(ctx: OrchestrationContext, parts: u32) -> Result<u32, ActivityError> {
    ///     let mut sum = 0;
    ///     for part in 1..=parts {
    ///         sum += price_of(&ctx, part).local().await?;
    ///     }
    ///     Ok(sum)
    /// }
    ///
    /// # #[tokio::main(flavor = "current_thread")]
    /// # async fn main() -> Result<(), Box<dyn std::error::Error>> {
    /// let runtime = Runtime::builder(MemoryProvider::new()).start().await?;
    /// assert_eq!(quote(&runtime.client(), 20).start().await?.result().await?, 21_000);
    /// assert_eq!(runtime.metrics().await.turn_time.count, 1);
    /// # runtime.shutdown(Duration::from_secs(5)).await;
    /// # Ok(())
    /// # }
    /// ```
    pub fn local(mut self) -> Self {
        self.settings.local = true;
        self
    }
}

impl<A: Activity> Future for ActivityCall<A> {
    type Output = Result<A::Output, ActivityError<A::Error>>;

    fn poll(mut self: Pin<&mut Self>, _: &mut Context<'_>) -> Poll<Self::Output> {
        let this = &mut *self;
        if this.operation.is_new()
            && let Some(message) = impossible(&this.settings)
        {
            this.operation.skip();
            return Poll::Ready(Err(ActivityError::Unavailable { message }));
        }
        let input = match &this.input {
            Ok(input) => input,
            Err(error) => {
                this.operation.skip();
                return Poll::Ready(Err(ActivityError::Codec { message: error.to_string() }));
            }
        };
        let (settings, place) = (&this.settings, &this.place);
        let resolution = this.operation.poll(|command| EventKind::ActivityScheduled {
            command,
            name: A::NAME.to_owned(),
            input: input.clone(),
            settings: settings.clone(),
            place: place.clone(),
        });
        resolution.map_or(Poll::Pending, |resolution| Poll::Ready(output::<A>(resolution)))
    }
}

/// Why nothing could run with these settings.
fn impossible(settings: &ActivitySettings) -> Option<String> {
    let limits = [
        ("timeout", settings.timeout),
        ("heartbeat_timeout", settings.heartbeat_timeout),
        ("schedule_to_start", settings.schedule_to_start),
        ("schedule_to_close", settings.schedule_to_close),
    ];
    if let Some((name, _)) = limits.iter().find(|(_, limit)| *limit == Some(Duration::ZERO)) {
        return Some(format!("a `{name}` of zero leaves no time at all; leave `.{name}(..)` out for none"));
    }
    let names = [("tag", &settings.tag), ("session", &settings.session)];
    let misnamed = |(what, name): &(&'static str, &Option<String>)| check_id(what, name.as_deref()?).err();
    names.iter().find_map(misnamed).map(|error| error.to_string())
}

fn output<A: Activity>(resolution: Resolution) -> Result<A::Output, ActivityError<A::Error>> {
    match resolution {
        Resolution::Output(output) => output.decode().map_err(|error| ActivityError::Codec {
            message: format!("the output of activity `{}` does not decode: {error}", A::NAME),
        }),
        Resolution::Failure(failure) => Err(ActivityError::from_failure(failure)),
        Resolution::Fired | Resolution::Event { .. } => {
            Err(ActivityError::Codec { message: "the history answers the activity with another step".to_owned() })
        }
    }
}

impl<A: Activity> DurableFuture for ActivityCall<A> {
    fn settled_at(&self) -> Option<u64> {
        self.operation.settled_at()
    }

    fn waits_for(&self) -> Option<CommandId> {
        self.operation.command()
    }
}

impl<A: Activity> Unpin for ActivityCall<A> {}
