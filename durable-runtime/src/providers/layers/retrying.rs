//! Tries again what may succeed.

use std::fmt;
use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};

use futures_timer::Delay;
use futures_util::future::BoxFuture;
use uuid::Uuid;

use super::around::port::*;
use super::around::{Failure, Operation, provider_around};
use crate::retry::RetryPolicy;

/// Waits between two tries.
type Pause = dyn Fn(Duration) -> BoxFuture<'static, ()> + Send + Sync;

/// A provider around another that tries again what failed and may succeed the next time: a store that cannot be reached,
/// a transaction of which it is not known whether it was kept. That is handed over again under the same id, so it is
/// kept once.
///
/// What no second try can change comes back at once: a lost lease, a broken rule, a damaged record, a closed store. When
/// patience ends, the last error comes back; but if the store has once said that it does not know whether the
/// transaction was kept, that is what is said, since nothing after it said otherwise.
///
/// The runtime is patient by itself. This layer is for clients and tools, and for stores over a network.
///
/// ```
/// use std::time::Duration;
/// use durable_runtime::providers::Retrying;
/// use durable_runtime::{MemoryProvider, RetryPolicy};
///
/// let policy = RetryPolicy::attempts(8).initial(Duration::from_millis(20)).max(Duration::from_secs(2)).jitter(0.5);
/// let store = Retrying::new(MemoryProvider::new()).policy(policy);
/// ```
#[derive(Clone)]
pub struct Retrying<P> {
    store: P,
    policy: RetryPolicy,
    pause: Arc<Pause>,
    /// Draws the jitter: calls that failed together do not come back together.
    draws: Arc<AtomicU64>,
}

impl<P: Provider> Retrying<P> {
    /// Ten tries in all, with 20 milliseconds to 2 seconds between, half of it by chance.
    pub fn new(store: P) -> Self {
        let policy =
            RetryPolicy::attempts(10).initial(Duration::from_millis(20)).max(Duration::from_secs(2)).jitter(0.5);
        let pause: Arc<Pause> = Arc::new(|time| Box::pin(Delay::new(time)));
        Self { store, policy, pause, draws: Arc::default() }
    }

    /// How often to try, and how long to wait between.
    #[must_use]
    pub fn policy(mut self, policy: RetryPolicy) -> Self {
        self.policy = policy;
        self
    }

    /// What to do instead of waiting, for tests.
    #[must_use]
    pub fn pause<F: Future<Output = ()> + Send + 'static>(
        mut self,
        pause: impl Fn(Duration) -> F + Send + Sync + 'static,
    ) -> Self {
        self.pause = Arc::new(move |time| Box::pin(pause(time)));
        self
    }

    async fn around<T, E: Failure, F: Future<Output = Result<T, E>>>(
        &self,
        operation: Operation,
        call: impl Fn() -> F,
    ) -> Result<T, E> {
        let (mut attempt, mut waited, mut doubt) = (1, Duration::ZERO, None);
        loop {
            let error = match call().await {
                Ok(answer) => return Ok(answer),
                Err(error) => error,
            };
            // Only a store that works can dispel a doubt.
            let doubtful = error.is_ambiguous();
            let undecided = error.of_store().is_some();
            let wait = self.policy.wait_after(attempt, waited, self.chance()).filter(|_| error.is_transient());
            let Some(wait) = wait else {
                return Err(if undecided && !doubtful { doubt.unwrap_or(error) } else { error });
            };
            tracing::debug!(%operation, attempt, %error, "trying again");
            if doubtful {
                doubt = Some(error);
            }
            (self.pause)(wait).await;
            waited = waited.saturating_add(wait);
            attempt += 1;
        }
    }

    fn chance(&self) -> f64 {
        let draw = self.draws.fetch_add(1, Ordering::Relaxed);
        let drawn = Uuid::new_v5(&CHANCES, &draw.to_be_bytes()).as_u64_pair().1 & u64::from(u32::MAX);
        drawn as f64 / f64::from(u32::MAX)
    }
}

/// The namespace of [`Retrying::chance`].
const CHANCES: Uuid = Uuid::from_u128(0x6a0c_92f4_3e0b_4f6d_8d5e_1f0a_77c3_b2e9);

provider_around!(Retrying, |value| value.clone());

impl<P: fmt::Debug> fmt::Debug for Retrying<P> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Self { store, policy, .. } = self;
        f.debug_struct("Retrying").field("store", store).field("policy", policy).finish_non_exhaustive()
    }
}
