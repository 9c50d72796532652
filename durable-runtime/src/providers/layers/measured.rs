//! Counts and times what a store does.

use std::collections::BTreeMap;
use std::fmt;
use std::sync::{Arc, Mutex};

use super::around::port::*;
use super::around::{Failure, Operation, provider_around};
use crate::clock::{Clock, SystemClock, Timestamp};
use crate::providers::waiters::locked;

/// A provider around another that counts its calls and how long they take. It changes nothing.
///
/// Times are those of the clock, which counts whole milliseconds: single short calls are told as none or one, and their
/// sum is right on the average.
///
/// ```
/// use durable_runtime::MemoryProvider;
/// use durable_runtime::providers::{Measured, Operation, Provider};
///
/// # futures_util::FutureExt::now_or_never(async {
/// let store = Measured::new(MemoryProvider::new());
/// let measures = store.measures(); // stays with you when a runtime takes the store
/// store.stats().await.unwrap();
/// assert_eq!(measures.snapshot().of(Operation::Count).calls, 1);
/// # });
/// ```
#[derive(Clone)]
pub struct Measured<P> {
    store: P,
    measures: Measures,
}

/// What a [`Measured`] store has counted. Clones are the same counters.
#[derive(Clone)]
pub struct Measures(Arc<State>);

struct State {
    clock: Arc<dyn Clock>,
    since: Mutex<Timestamp>,
    figures: Mutex<BTreeMap<Operation, Figures>>,
}

/// What is known of one kind of call.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
#[non_exhaustive]
pub struct Figures {
    /// How often it was begun.
    pub calls: u64,
    /// How many are under way.
    pub under_way: u64,
    /// How many the store answered with a refusal: a lost lease, work that is gone, a conflict.
    pub refused: u64,
    /// How many failed in the store.
    pub failed: u64,
    /// How many were given up by the caller.
    pub dropped: u64,
    /// How long all that ended took together.
    pub total: Duration,
    /// How long the longest took.
    pub longest: Duration,
}

impl Figures {
    /// How many have ended, well or not.
    pub const fn ended(&self) -> u64 {
        self.calls.saturating_sub(self.under_way)
    }

    /// How long one took on the average; zero if none has ended.
    pub fn mean(&self) -> Duration {
        let ended = u32::try_from(self.ended()).unwrap_or(u32::MAX);
        self.total.checked_div(ended).unwrap_or_default()
    }
}

/// The counters at one moment.
#[derive(Debug, Clone, PartialEq, Eq)]
#[non_exhaustive]
pub struct Snapshot {
    /// Since when is counted.
    pub since: Timestamp,
    /// The moment.
    pub at: Timestamp,
    /// The kinds of calls that there were.
    pub operations: BTreeMap<Operation, Figures>,
}

impl Snapshot {
    /// What is known of one kind of call.
    pub fn of(&self, operation: Operation) -> Figures {
        self.operations.get(&operation).copied().unwrap_or_default()
    }
}

impl fmt::Display for Snapshot {
    /// A table with a line for each kind of call.
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        writeln!(f, "{} for {:?}", self.since, self.at.saturating_since(self.since))?;
        write!(
            f,
            "{:<18}{:>10}{:>10}{:>10}{:>10}{:>10}{:>12}{:>12}",
            "operation", "calls", "under way", "refused", "failed", "dropped", "mean", "longest"
        )?;
        for (operation, figures) in &self.operations {
            let Figures { calls, under_way, refused, failed, dropped, longest, .. } = figures;
            let (mean, longest) = (format!("{:.1?}", figures.mean()), format!("{longest:.1?}"));
            write!(
                f,
                "\n{operation:<18}{calls:>10}{under_way:>10}{refused:>10}{failed:>10}{dropped:>10}{mean:>12}{longest:>12}"
            )?;
        }
        Ok(())
    }
}

impl Measures {
    /// The counters now.
    pub fn snapshot(&self) -> Snapshot {
        let operations = locked(&self.0.figures).clone();
        Snapshot { since: *locked(&self.0.since), at: self.0.clock.now(), operations }
    }

    /// Counts from zero again; calls that are under way stay so.
    pub fn reset(&self) {
        let mut figures = locked(&self.0.figures);
        figures.retain(|_, figures| figures.under_way > 0);
        for figures in figures.values_mut() {
            let under_way = figures.under_way;
            *figures = Figures { calls: under_way, under_way, ..Figures::default() };
        }
        *locked(&self.0.since) = self.0.clock.now();
    }

    fn begin(&self, operation: Operation) -> UnderWay<'_> {
        let mut all = locked(&self.0.figures);
        let figures = all.entry(operation).or_default();
        figures.calls += 1;
        figures.under_way += 1;
        UnderWay { measures: self, operation, begun: self.0.clock.now(), end: |figures| figures.dropped += 1 }
    }
}

impl fmt::Debug for Measures {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_tuple("Measures").field(&self.snapshot()).finish()
    }
}

/// A call that has begun. It ends when this is dropped: by itself, or with the future of a caller that went away.
struct UnderWay<'a> {
    measures: &'a Measures,
    operation: Operation,
    begun: Timestamp,
    end: fn(&mut Figures),
}

impl Drop for UnderWay<'_> {
    fn drop(&mut self) {
        let took = self.measures.0.clock.now().saturating_since(self.begun);
        let mut all = locked(&self.measures.0.figures);
        let figures = all.entry(self.operation).or_default();
        figures.under_way = figures.under_way.saturating_sub(1);
        figures.total = figures.total.saturating_add(took);
        figures.longest = figures.longest.max(took);
        (self.end)(figures);
    }
}

impl<P: Provider> Measured<P> {
    /// Counts from now on, by the clock of this machine.
    pub fn new(store: P) -> Self {
        Self::with_clock(store, SystemClock)
    }

    /// Counts from now on, by this clock.
    pub fn with_clock(store: P, clock: impl Clock) -> Self {
        let since = Mutex::new(clock.now());
        let state = State { clock: Arc::new(clock), since, figures: Mutex::default() };
        Self { store, measures: Measures(Arc::new(state)) }
    }

    /// What is counted.
    pub fn measures(&self) -> Measures {
        self.measures.clone()
    }

    async fn around<T, E: Failure, F: Future<Output = Result<T, E>>>(
        &self,
        operation: Operation,
        call: impl FnOnce() -> F,
    ) -> Result<T, E> {
        let mut under_way = self.measures.begin(operation);
        let answer = call().await;
        under_way.end = match &answer {
            Ok(_) => |_| {},
            Err(error) if error.of_store().is_none() => |figures| figures.refused += 1,
            Err(_) => |figures| figures.failed += 1,
        };
        answer
    }
}

provider_around!(Measured, |value| value);

impl<P: fmt::Debug> fmt::Debug for Measured<P> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Measured").field("store", &self.store).field("measures", &self.measures).finish()
    }
}
