//! Activities that answer what a test wants.

use std::collections::{BTreeMap, BTreeSet};
use std::fmt;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::Duration;

use serde::de::{DeserializeOwned, Error as _, MapAccess, Visitor};
use serde::{Deserialize, Deserializer};
use serde_json::value::RawValue;

use crate::activity::{Activity, ActivityBody, ActivityHandler, AttemptOutcome, attempt_outcome};
use crate::context::{ActivityCall, ActivityContext, OrchestrationContext};
use crate::history::Failure;
use crate::payload::Payload;

type Answer = dyn Fn(&Payload) -> AttemptOutcome + Send + Sync;

/// What stands in for one activity.
#[derive(Default)]
struct Mock {
    answer: Option<Arc<Answer>>,
    /// So many attempts fail first.
    failures: u32,
    failure: Option<Arc<Answer>>,
    attempts: u32,
    /// How long an attempt takes.
    delay: Duration,
    /// Attempts, by key and number, that take their time.
    waiting: BTreeSet<(String, u32)>,
    /// Attempts that take more time than they may.
    late: BTreeMap<(String, u32), Duration>,
}

impl Mock {
    /// How long an attempt takes that begins now; `None` if it has taken its time.
    fn begin(&mut self, key: (String, u32), timeout: Option<Duration>) -> Option<Duration> {
        if self.waiting.remove(&key) || self.delay.is_zero() {
            return None;
        }
        let most = timeout.filter(|timeout| *timeout < self.delay);
        self.late.extend(most.map(|most| (key.clone(), most)));
        self.waiting.insert(key);
        Some(most.unwrap_or(self.delay))
    }
}

/// What stands in for activities, by name.
#[derive(Clone, Default)]
pub(super) struct Mocks(Arc<Mutex<BTreeMap<&'static str, Mock>>>);

impl Mocks {
    fn locked(&self) -> MutexGuard<'_, BTreeMap<&'static str, Mock>> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }

    pub(super) fn answer<A: Activity, Marker>(&self, mock: impl MockOf<A, Marker>) {
        let answer = Arc::new(move |input: &Payload| mock.answer(input));
        self.locked().entry(A::NAME).or_default().answer = Some(answer);
    }

    pub(super) fn fail<A: Activity>(&self, times: u32, error: impl Fn() -> A::Error + Send + Sync + 'static) {
        let mut mocks = self.locked();
        let mock = mocks.entry(A::NAME).or_default();
        mock.failures = times;
        mock.failure = Some(Arc::new(move |_: &Payload| attempt_outcome::<A>(Err(error()))));
    }

    pub(super) fn delay(&self, name: &'static str, delay: Duration) {
        self.locked().entry(name).or_default().delay = delay;
    }

    pub(super) fn attempts(&self, name: &str) -> u32 {
        self.locked().get(name).map_or(0, |mock| mock.attempts)
    }

    /// The handler, with what stands in for it before it.
    pub(super) fn before(&self, handler: ActivityHandler) -> ActivityHandler {
        let (mocks, name, real) = (self.clone(), handler.name, Arc::clone(&handler.invoke));
        let taking = self.clone();
        let put_off = Arc::new(move |key: &str, attempt, timeout| {
            taking.locked().entry(name).or_default().begin((key.to_owned(), attempt), timeout)
        });
        let invoke = Arc::new(move |context: ActivityContext, input: &Payload| {
            let late = mocks.late(name, (context.idempotency_key(), context.attempt()));
            match (late, mocks.next(name)) {
                (Some(late), _) => Err(late),
                (None, Some(answer)) => {
                    let input = input.clone();
                    Ok(ActivityBody::Async(Box::pin(async move { answer(&input) })))
                }
                (None, None) => real(context, input),
            }
        });
        ActivityHandler { invoke, put_off: Some(put_off), ..handler }
    }

    /// Why an attempt is over before it could answer.
    fn late(&self, name: &'static str, key: (String, u32)) -> Option<Failure> {
        let most = self.locked().get_mut(name)?.late.remove(&key)?;
        Some(Failure::TimedOut {
            message: format!("the attempt took longer than {}", humantime::format_duration(most)),
        })
    }

    /// Counts an attempt; `None` if the real body is to run.
    fn next(&self, name: &'static str) -> Option<Arc<Answer>> {
        let mut mocks = self.locked();
        let mock = mocks.entry(name).or_default();
        mock.attempts = mock.attempts.saturating_add(1);
        match &mock.failure {
            Some(failure) if mock.failures > 0 => {
                mock.failures -= 1;
                Some(Arc::clone(failure))
            }
            _ => mock.answer.clone(),
        }
    }
}

/// A function that an activity can be named by: itself, as it is called in an orchestration.
pub trait ActivityFunction<Marker> {
    /// The activity.
    type Activity: Activity;
}

/// A closure with the arguments of an activity.
pub trait MockOf<A: Activity, Marker>: Send + Sync + 'static {
    /// What it answers to these arguments.
    ///
    /// # Errors
    /// What the closure returns as an error, or that the arguments are not those it takes.
    fn answer(&self, input: &Payload) -> AttemptOutcome;
}

macro_rules! arities {
    ($(($($argument:ident),*))*) => {$(
        impl<A: Activity, F, $($argument),*> ActivityFunction<(A, $($argument,)*)> for F
        where
            F: Fn(&OrchestrationContext, $($argument),*) -> ActivityCall<A>,
        {
            type Activity = A;
        }

        impl<A: Activity, F, $($argument: DeserializeOwned),*> MockOf<A, ($($argument,)*)> for F
        where
            F: Fn($($argument),*) -> Result<A::Output, A::Error> + Send + Sync + 'static,
        {
            #[allow(unused_mut, unused_variables, non_snake_case)]
            fn answer(&self, input: &Payload) -> AttemptOutcome {
                let values = Values::of(input)?;
                let mut values = values.0.iter();
                $(let $argument = take::<A, $argument>(values.next().map(|value| &**value))?;)*
                attempt_outcome::<A>(self($($argument),*))
            }
        }
    )*};
}

arities! { () (A1) (A1, A2) (A1, A2, A3) (A1, A2, A3, A4) (A1, A2, A3, A4, A5) (A1, A2, A3, A4, A5, A6) (A1, A2, A3, A4, A5, A6, A7) (A1, A2, A3, A4, A5, A6, A7, A8) }

fn take<A: Activity, T: DeserializeOwned>(value: Option<&RawValue>) -> Result<T, Failure> {
    let parsed = value.map(|value| serde_json::from_str(value.get()));
    parsed.unwrap_or_else(|| Err(serde_json::Error::custom("there are fewer arguments"))).map_err(|error| {
        Failure::Codec { message: format!("the mock of activity `{}` takes other arguments: {error}", A::NAME) }
    })
}

/// The values of an object, in the order in which they stand: that of the arguments.
struct Values(Vec<Box<RawValue>>);

impl Values {
    fn of(input: &Payload) -> Result<Self, Failure> {
        input.read().map_err(|error| Failure::Codec { message: error.to_string() })
    }
}

impl<'de> Deserialize<'de> for Values {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        struct Object;

        impl<'de> Visitor<'de> for Object {
            type Value = Values;

            fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
                f.write_str("arguments by name")
            }

            fn visit_map<M: MapAccess<'de>>(self, mut map: M) -> Result<Values, M::Error> {
                let mut values = Vec::new();
                while let Some((_, value)) = map.next_entry::<String, Box<RawValue>>()? {
                    values.push(value);
                }
                Ok(Values(values))
            }
        }

        deserializer.deserialize_map(Object)
    }
}
