//! A runtime for tests: in memory, with a clock that goes to the next timer as soon as nothing else is to be done.

use std::time::Duration;

use super::ManualClock;
use super::mocks::{ActivityFunction, MockOf, Mocks};
use crate::activity::Activity;
use crate::client::{Client, Handle, ReadError, ResultError, StartError, StartRequest};
use crate::clock::{Clock as _, Timestamp};
use crate::dispatch::{Runtime, RuntimeBuilder, RuntimeError};
use crate::history::to_text;
use crate::metadata::Status;
use crate::observe::Metrics;
use crate::orchestration::Orchestration;
use crate::payload::PayloadValue;
use crate::providers::{ActivityRequest, MemoryProvider, OwnerId, Skills};

/// How long a shutdown may take: nothing is under way by then, unless a test has failed.
const DEADLINE: Duration = Duration::from_secs(5);

/// Runs orchestrations in memory, under a clock of its own that stands still while anything is under way.
///
/// Time passes only in [`TestRuntime::finish`], [`TestRuntime::run`] and [`TestRuntime::advance`]: it goes from one
/// timer to the next without waiting for any. So a test says what happens in the first hour, raises an event, and then
/// lets the month go by.
///
/// ```standalone_crate
/// use durable_runtime::prelude::*;
/// use durable_runtime::testing::TestRuntime;
///
/// #[orchestration]
/// async fn trial(ctx: OrchestrationContext, days: u64) -> String {
///     ctx.timer(Duration::from_secs(days * 86_400)).await;
///     format!("{days} days are over")
/// }
///
/// # #[tokio::main(flavor = "current_thread")]
/// # async fn main() -> Result<(), Box<dyn std::error::Error>> {
/// let runtime = TestRuntime::start().await?;
/// assert_eq!(runtime.run(trial(&runtime.client(), 30)).await?, "30 days are over");
/// runtime.shutdown().await;
/// # Ok(())
/// # }
/// ```
pub struct TestRuntime {
    runtime: Runtime,
    store: MemoryProvider,
    clock: ManualClock,
    served: ActivityRequest,
    skills: Skills,
    mocks: Mocks,
}

/// Settings of a runtime for tests.
#[must_use = "nothing is started before `start`"]
pub struct TestRuntimeBuilder {
    builder: RuntimeBuilder,
    store: MemoryProvider,
    clock: ManualClock,
    mocks: Mocks,
}

/// An instance did not come to its end.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum FinishError<E: PayloadValue> {
    /// It ended otherwise than with an output.
    #[error(transparent)]
    Ended(ResultError<E>),
    /// It could not be started.
    #[error(transparent)]
    Start(#[from] StartError),
    /// It waits for something that no time will bring: an event, or an activity that nobody runs here.
    #[error("instance `{instance}` is {status:?} and nothing will happen by itself any more{}", .report.as_ref().map(|text| format!(": {text}")).unwrap_or_default())]
    Stuck {
        /// The instance.
        instance: String,
        /// What it is.
        status: Status,
        /// Why it is suspended, if it is.
        report: Option<String>,
    },
}

impl TestRuntime {
    /// Starts one with everything annotated in this program.
    ///
    /// # Errors
    /// [`RuntimeError`], as of any runtime.
    pub async fn start() -> Result<Self, RuntimeError> {
        Self::builder().start().await
    }

    /// What can be chosen.
    pub fn builder() -> TestRuntimeBuilder {
        let clock = ManualClock::new();
        let store = MemoryProvider::with_clock(clock.clone());
        let mocks = Mocks::default();
        let before = mocks.clone();
        let builder = Runtime::builder(store.clone()).double_check(true).metrics_clock(clock.clone());
        let builder = builder.intercept_activities(move |handler| before.before(handler));
        TestRuntimeBuilder { builder, store, clock, mocks }
    }

    /// A client, to start instances and raise events.
    pub fn client(&self) -> Client {
        self.runtime.client()
    }

    /// Its clock. It begins at 2026-01-01 UTC.
    pub fn clock(&self) -> &ManualClock {
        &self.clock
    }

    /// What it has counted and measured; see [`Runtime::metrics`]. Durations are those of its clock.
    pub async fn metrics(&self) -> Metrics {
        self.runtime.metrics().await
    }

    /// Its store, for looking inside.
    pub fn store(&self) -> &MemoryProvider {
        &self.store
    }

    /// Waits until nothing is under way any more: every instance waits for a timer, an event or nothing. No time passes.
    /// Answers when the next timer is due.
    pub async fn settled(&self) -> Option<Timestamp> {
        self.store.settled(&self.skills, &self.served).await
    }

    /// Lets so much time pass, from one timer to the next; what each brings is done before the next is due.
    pub async fn advance(&self, by: Duration) {
        let end = self.clock.now().saturating_add(by);
        while let Some(next) = self.settled().await.filter(|next| *next <= end) {
            self.clock.set(next);
        }
        self.clock.set(end);
        self.settled().await;
    }

    /// Lets time pass until this instance has ended, and gives what it returned.
    ///
    /// # Errors
    /// [`FinishError::Stuck`] if it waits for what no time will bring; [`FinishError::Ended`] if it failed.
    pub async fn finish<O: Orchestration>(&self, handle: &Handle<O>) -> Result<O::Output, FinishError<O::Error>> {
        loop {
            let next = self.settled().await;
            let status = handle.status().await.map_err(|error: ReadError| FinishError::Ended(error.into()))?;
            if status.status.is_closed() {
                return handle.result().await.map_err(FinishError::Ended);
            }
            match next {
                Some(next) if status.suspended.is_none() => self.clock.set(next),
                _ => {
                    let instance = handle.id().to_string();
                    return Err(FinishError::Stuck { instance, status: status.status, report: status.suspended });
                }
            }
        }
    }

    /// Starts an instance, and lets time pass until it has ended.
    ///
    /// # Errors
    /// As [`TestRuntime::finish`], and [`FinishError::Start`].
    pub async fn run<O: Orchestration>(&self, request: StartRequest<O>) -> Result<O::Output, FinishError<O::Error>> {
        self.finish(&request.start().await?).await
    }

    /// From now on this closure answers instead of the body of an activity. It takes the same arguments, without a
    /// context, and returns a `Result` with the activity's output and error.
    ///
    /// ```standalone_crate
    /// use durable_runtime::prelude::*;
    /// use durable_runtime::testing::TestRuntime;
    ///
    /// #[activity(retry(max_attempts = 5, initial = "1h"))]
    /// async fn charge_card(card: String, cents: u64) -> Result<String, String> {
    ///     Err(format!("no network in tests: {card}, {cents}"))
    /// }
    ///
    /// #[orchestration]
    /// async fn pay(ctx: OrchestrationContext, cents: u64) -> Result<String, ActivityError<String>> {
    ///     charge_card(&ctx, "4711".to_owned(), cents).await
    /// }
    ///
    /// # #[tokio::main(flavor = "current_thread")]
    /// # async fn main() -> Result<(), Box<dyn std::error::Error>> {
    /// let runtime = TestRuntime::start().await?;
    /// runtime.mock(charge_card, |card: String, cents: u64| Ok(format!("{cents} from {card}")));
    /// runtime.fail_first(charge_card, 2, || "declined".to_owned());
    /// assert_eq!(runtime.run(pay(&runtime.client(), 250)).await?, "250 from 4711");
    /// assert_eq!(runtime.attempts(charge_card), 3);
    /// runtime.shutdown().await;
    /// # Ok(())
    /// # }
    /// ```
    pub fn mock<F, M, N>(&self, _activity: F, mock: impl MockOf<F::Activity, N>)
    where
        F: ActivityFunction<M>,
    {
        self.mocks.answer(mock);
    }

    /// Lets the next so many attempts of an activity fail with this error, and the following do what they would.
    pub fn fail_first<F, M>(
        &self,
        _activity: F,
        times: u32,
        error: impl Fn() -> <F::Activity as Activity>::Error + Send + Sync + 'static,
    ) where
        F: ActivityFunction<M>,
    {
        self.mocks.fail::<F::Activity>(times, error);
    }

    /// From now on each attempt of an activity takes so long by the clock of this runtime, whatever answers it then. One that
    /// takes longer than its `timeout` has timed out when that is over. Zero: it takes no time, as in the beginning.
    ///
    /// ```standalone_crate
    /// use durable_runtime::prelude::*;
    /// use durable_runtime::testing::TestRuntime;
    ///
    /// #[activity]
    /// async fn ask_the_bank(account: String) -> bool {
    ///     account.is_empty()
    /// }
    ///
    /// #[orchestration]
    /// async fn ask(ctx: OrchestrationContext, account: String) -> String {
    ///     match ctx.timeout(Duration::from_secs(3_600), ask_the_bank(&ctx, account)).await {
    ///         Ok(answer) => format!("{answer:?}"),
    ///         Err(elapsed) => elapsed.to_string(),
    ///     }
    /// }
    ///
    /// # #[tokio::main(flavor = "current_thread")]
    /// # async fn main() -> Result<(), Box<dyn std::error::Error>> {
    /// let runtime = TestRuntime::start().await?;
    /// runtime.mock(ask_the_bank, |_: String| Ok(true));
    /// runtime.delay(ask_the_bank, Duration::from_secs(3_599));
    /// assert_eq!(runtime.run(ask(&runtime.client(), "4711".into())).await?, "Ok(true)");
    /// runtime.delay(ask_the_bank, Duration::from_secs(3_601));
    /// assert!(runtime.run(ask(&runtime.client(), "4711".into())).await?.contains("longer than it was given"));
    /// runtime.shutdown().await;
    /// # Ok(())
    /// # }
    /// ```
    pub fn delay<F, M>(&self, _activity: F, by: Duration)
    where
        F: ActivityFunction<M>,
    {
        self.mocks.delay(F::Activity::NAME, by);
    }

    /// The history of the newest execution as text, a line an event; see [`to_text`](crate::history::to_text).
    ///
    /// # Errors
    /// [`ReadError`] if there is no such instance.
    pub async fn history<O: Orchestration>(&self, handle: &Handle<O>) -> Result<String, ReadError> {
        Ok(to_text(&handle.history().await?))
    }

    /// How often an activity was tried, mocked or not.
    pub fn attempts<F, M>(&self, _activity: F) -> u32
    where
        F: ActivityFunction<M>,
    {
        self.mocks.attempts(F::Activity::NAME)
    }

    /// Stops it. A runtime that is dropped stops too, but nobody waits for it.
    pub async fn shutdown(self) {
        self.runtime.shutdown(DEADLINE).await;
    }
}

impl TestRuntimeBuilder {
    /// Sets what any runtime has: states, limits, tags.
    ///
    /// ```no_run
    /// # async fn example() -> Result<(), durable_runtime::RuntimeError> {
    /// use durable_runtime::testing::TestRuntime;
    ///
    /// struct Ledger(Vec<u64>);
    ///
    /// let runtime = TestRuntime::builder().configure(|builder| builder.state(Ledger(Vec::new()))).start().await?;
    /// # Ok(()) }
    /// ```
    pub fn configure(mut self, configure: impl FnOnce(RuntimeBuilder) -> RuntimeBuilder) -> Self {
        self.builder = configure(self.builder);
        self
    }

    /// Starts it, inside the tokio runtime of the test.
    ///
    /// # Errors
    /// [`RuntimeError`], as of any runtime.
    pub async fn start(self) -> Result<TestRuntime, RuntimeError> {
        let Self { builder, store, clock, mocks } = self;
        let runtime = builder.start().await?;
        let (topics, tags) = runtime.served();
        let served = ActivityRequest {
            owner: OwnerId::new("nobody"),
            max: 1,
            ttl: Duration::ZERO,
            wait: Duration::ZERO,
            topics: topics.into(),
            tags,
            session_ttl: Some(Duration::ZERO),
        };
        let skills = runtime.handlers().skills();
        Ok(TestRuntime { runtime, store, clock, served, skills, mocks })
    }
}
