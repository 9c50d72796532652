//! Leases that are in use, renewed where no user code can block it.

use std::collections::BTreeMap;
use std::sync::atomic::{AtomicU64, Ordering};
use std::sync::{Arc, Mutex, PoisonError};
use std::time::Duration;

use tokio::sync::watch;

use super::under_way::UnderWay;
use crate::ids::{InstanceId, LockToken, MessageId};
use crate::providers::{Provider, Renewal};

/// How long a lease lasts unless the builder says otherwise; it is renewed at a third of that.
pub(crate) const LEASE_TTL: Duration = Duration::from_secs(30);

/// The leases that are in use, by fence.
pub(crate) struct Leases {
    held: Mutex<BTreeMap<u64, Held>>,
    /// The smallest fence that was granted to this runtime; fences grow over restarts.
    first_fence: AtomicU64,
    under_way: Arc<UnderWay>,
}

struct Held {
    token: LockToken,
    work: Option<MessageId>,
    lost: Option<watch::Sender<bool>>,
}

impl Leases {
    pub(crate) fn new(under_way: Arc<UnderWay>) -> Self {
        Self { held: Mutex::default(), first_fence: AtomicU64::new(u64::MAX), under_way }
    }

    /// Keeps the lease of a turn until [`Leases::release`].
    pub(crate) fn hold_turn(&self, token: LockToken) {
        self.first_fence.fetch_min(token.fence, Ordering::AcqRel);
        self.lock().insert(token.fence, Held { token, work: None, lost: None });
    }

    /// Keeps the lease of an activity until [`Leases::release`]. `lost` is told when nobody wants its result any more.
    pub(crate) fn hold_work(&self, token: LockToken, work: MessageId, lost: watch::Sender<bool>) {
        self.first_fence.fetch_min(token.fence, Ordering::AcqRel);
        self.lock().insert(token.fence, Held { token, work: Some(work), lost: Some(lost) });
    }

    /// What was written under an earlier lease than this was not written for this runtime.
    pub(super) fn first_fence(&self) -> u64 {
        self.first_fence.load(Ordering::Acquire)
    }

    pub(crate) fn release(&self, token: &LockToken) {
        self.lock().remove(&token.fence);
    }

    /// Tells those who run these activities that nobody wants their results any more.
    pub(crate) fn revoke(&self, instance: &InstanceId, work: &[MessageId]) {
        work.iter().for_each(|id| self.under_way.forget(instance, id));
        let held = self.lock();
        let theirs = held.values().filter(|held| held.token.instance == *instance);
        theirs.filter(|held| held.work.as_ref().is_some_and(|id| work.contains(id))).for_each(Held::tell);
    }

    fn lock(&self) -> std::sync::MutexGuard<'_, BTreeMap<u64, Held>> {
        self.held.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl Held {
    fn tell(&self) {
        if let Some(lost) = &self.lost {
            lost.send_replace(true);
        }
    }
}

/// Renews all leases in use, for ever.
pub(crate) async fn renew(provider: Arc<dyn Provider>, leases: Arc<Leases>, ttl: Duration) {
    let mut interval = tokio::time::interval(ttl / 3);
    interval.set_missed_tick_behavior(tokio::time::MissedTickBehavior::Delay);
    loop {
        interval.tick().await;
        let tokens: Vec<LockToken> = leases.lock().values().map(|held| held.token.clone()).collect();
        if tokens.is_empty() {
            continue;
        }
        match provider.renew(&tokens, ttl).await {
            Ok(renewals) => note_lost(&leases, &tokens, &renewals),
            Err(error) => tracing::warn!(%error, "leases could not be renewed; the next attempt follows"),
        }
    }
}

fn note_lost(leases: &Leases, tokens: &[LockToken], renewals: &[Renewal]) {
    let held = leases.lock();
    for (token, renewal) in tokens.iter().zip(renewals) {
        if let (Renewal::Lost, Some(held)) = (renewal, held.get(&token.fence)) {
            held.tell();
        }
    }
}
