//! Fails, by chance and by seed.

use std::collections::BTreeMap;
use std::fmt;
use std::sync::atomic::{AtomicU64, Ordering};
use std::sync::{Arc, Mutex};
use std::task::Poll;

use super::around::port::*;
use super::around::{Failure, Operation, provider_around};
use super::faults::{Fault, Faults};
use super::shifting::ShiftingClock;
use crate::providers::ErrorKind;
use crate::providers::waiters::locked;

/// How long a call is held back at most: how often others may run before it does.
const HELD_BACK: u64 = 24;

/// A provider around another to which things happen that happen to stores: calls that do not arrive, answers that are
/// lost, calls that arrive twice, late, or in another order, and a clock that jumps.
///
/// Which, is drawn from a seed: a program that makes the same calls in the same order meets the same faults. It starts
/// with none; [`Faulty::set`] says which. Clones share faults and seed.
///
/// ```
/// use durable_runtime::MemoryProvider;
/// use durable_runtime::providers::{Fault, Faults, Faulty, Operation, Provider};
///
/// # futures_util::FutureExt::now_or_never(async {
/// let store = Faulty::new(MemoryProvider::new(), 7).with(Faults::none().on(Operation::Count, Fault::ErrorBefore, 1.0));
/// assert!(store.stats().await.is_err());
/// store.set(Faults::none());
/// assert!(store.stats().await.is_ok());
/// assert_eq!(store.happened(Operation::Count, Fault::ErrorBefore), 1);
/// # });
/// ```
#[derive(Clone)]
pub struct Faulty<P> {
    store: P,
    state: Arc<State>,
}

struct State {
    faults: Mutex<Faults>,
    dice: Mutex<Dice>,
    happened: Mutex<BTreeMap<(Operation, Fault), u64>>,
    /// How many calls were made so far.
    calls: AtomicU64,
    clock: Mutex<Option<ShiftingClock>>,
}

impl<P: Provider> Faulty<P> {
    /// Nothing happens until [`Faulty::set`].
    pub fn new(store: P, seed: u64) -> Self {
        let state = State {
            faults: Mutex::default(),
            dice: Mutex::new(Dice(seed)),
            happened: Mutex::default(),
            calls: AtomicU64::new(0),
            clock: Mutex::default(),
        };
        Self { store, state: Arc::new(state) }
    }

    /// As [`Faulty::set`].
    #[must_use]
    pub fn with(self, faults: Faults) -> Self {
        self.set(faults);
        self
    }

    /// The clock that [`Fault::ClockShift`] shifts: the one that the store goes by.
    #[must_use]
    pub fn shifting(self, clock: ShiftingClock) -> Self {
        *locked(&self.state.clock) = Some(clock);
        self
    }

    /// From now on these faults happen.
    pub fn set(&self, faults: Faults) {
        *locked(&self.state.faults) = faults;
    }

    /// How often this has happened.
    pub fn happened(&self, operation: Operation, fault: Fault) -> u64 {
        locked(&self.state.happened).get(&(operation, fault)).copied().unwrap_or_default()
    }

    fn happens(&self, operation: Operation, fault: Fault) -> bool {
        let rate = locked(&self.state.faults).rate(operation, fault);
        let happens = rate > 0.0 && locked(&self.state.dice).chance() < rate;
        if happens {
            *locked(&self.state.happened).entry((operation, fault)).or_default() += 1;
        }
        happens
    }

    async fn around<T, E: Failure, F: Future<Output = Result<T, E>>>(
        &self,
        operation: Operation,
        call: impl Fn() -> F,
    ) -> Result<T, E> {
        let error = |kind, what| Err(ProviderError::new(kind, operation.name(), what).into());
        if self.happens(operation, Fault::ClockShift) {
            self.shift_clock();
        }
        if self.happens(operation, Fault::Delay) {
            let times = locked(&self.state.dice).below(HELD_BACK);
            hold_back(times, || false).await;
        }
        if self.happens(operation, Fault::Reorder) {
            let seen = self.state.calls.load(Ordering::SeqCst);
            hold_back(HELD_BACK, || self.state.calls.load(Ordering::SeqCst) != seen).await;
        }
        self.state.calls.fetch_add(1, Ordering::SeqCst);
        if self.happens(operation, Fault::Permanent) {
            return error(ErrorKind::Invalid, "by chance, for good");
        }
        if self.happens(operation, Fault::ErrorBefore) {
            return error(ErrorKind::Unavailable, "by chance, before the call");
        }
        let mut answer = call().await?;
        if !operation.leases() && self.happens(operation, Fault::Duplicate) {
            answer = call().await?;
        }
        if self.happens(operation, Fault::ErrorAfter) {
            let kind = if operation == Operation::Commit { ErrorKind::Ambiguous } else { ErrorKind::Unavailable };
            return error(kind, "by chance, after the call");
        }
        Ok(answer)
    }

    fn shift_clock(&self) {
        const SHIFTS_MS: [i64; 4] = [300_000, -300_000, 86_400_000, -86_400_000];
        let draw = locked(&self.state.dice).below(SHIFTS_MS.len() as u64);
        let by = usize::try_from(draw).ok().and_then(|draw| SHIFTS_MS.get(draw));
        if let (Some(clock), Some(by)) = (&*locked(&self.state.clock), by) {
            clock.shift(*by);
        }
    }
}

provider_around!(Faulty, |value| value.clone());

/// Lets others run, so many times or until there is no need to.
async fn hold_back(times: u64, enough: impl Fn() -> bool) {
    let mut left = times;
    std::future::poll_fn(|context| {
        if left == 0 || enough() {
            return Poll::Ready(());
        }
        left -= 1;
        context.waker().wake_by_ref();
        Poll::Pending
    })
    .await;
}

/// Numbers that look drawn: SplitMix64, which is short and good enough for faults.
struct Dice(u64);

impl Dice {
    fn next(&mut self) -> u64 {
        self.0 = self.0.wrapping_add(0x9e37_79b9_7f4a_7c15);
        let mixed = (self.0 ^ (self.0 >> 30)).wrapping_mul(0xbf58_476d_1ce4_e5b9);
        let mixed = (mixed ^ (mixed >> 27)).wrapping_mul(0x94d0_49bb_1331_11eb);
        mixed ^ (mixed >> 31)
    }

    /// From 0 up to, but not, 1.
    fn chance(&mut self) -> f64 {
        (self.next() >> 11) as f64 / (1_u64 << 53) as f64
    }

    fn below(&mut self, end: u64) -> u64 {
        self.next() % end.max(1)
    }
}

impl<P: fmt::Debug> fmt::Debug for Faulty<P> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let faults = locked(&self.state.faults);
        f.debug_struct("Faulty").field("store", &self.store).field("faults", &*faults).finish_non_exhaustive()
    }
}
