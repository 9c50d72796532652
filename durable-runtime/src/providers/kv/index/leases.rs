//! Who has what until when. Nothing of it is written down: when the process ends, all leases end with it.

use std::collections::{BTreeMap, BTreeSet};
use std::time::Duration;

use crate::clock::Timestamp;
use crate::ids::{ExecutionId, InstanceId, LockToken, MessageId};
use crate::providers::{OwnerId, Renewal};

/// Fences count up within one opening of the store; its number stands in the bits above.
const FENCE_BITS: u32 = 40;

/// What is leased, of the instance that the token names.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) enum Target {
    Turn,
    Activity(MessageId),
}

#[derive(Debug)]
pub(super) struct Lease {
    pub(super) token: LockToken,
    pub(super) target: Target,
    pub(super) owner: OwnerId,
    /// The messages handed out with a turn, to take back the count.
    pub(super) handed_out: Vec<MessageId>,
    expires: Timestamp,
}

impl Lease {
    pub(super) fn expires(&self) -> Timestamp {
        self.expires
    }
}

#[derive(Debug)]
pub(super) struct Leases {
    out: BTreeMap<u64, Lease>,
    expiries: BTreeSet<(Timestamp, u64)>,
    /// Not in `expiries` while they are here.
    pinned: BTreeSet<u64>,
    last_fence: u64,
    on_turns: u64,
}

impl Leases {
    pub(super) fn new(epoch: u64) -> Self {
        Self {
            out: BTreeMap::new(),
            expiries: BTreeSet::new(),
            pinned: BTreeSet::new(),
            last_fence: epoch << FENCE_BITS,
            on_turns: 0,
        }
    }

    pub(super) fn grant(
        &mut self,
        (instance, execution_id): (&InstanceId, ExecutionId),
        (target, handed_out): (Target, Vec<MessageId>),
        owner: &OwnerId,
        ttl: Duration,
        now: Timestamp,
    ) -> LockToken {
        self.last_fence += 1;
        let fence = self.last_fence;
        let token = LockToken { instance: instance.clone(), execution_id, granted_at_ms: now.as_millis(), fence };
        let expires = now.saturating_add(ttl);
        self.on_turns += u64::from(target == Target::Turn);
        self.expiries.insert((expires, fence));
        self.out.insert(fence, Lease { token: token.clone(), target, owner: owner.clone(), handed_out, expires });
        token
    }

    pub(super) fn bind(&mut self, fence: u64, execution_id: ExecutionId) -> Option<LockToken> {
        let lease = self.out.get_mut(&fence)?;
        lease.token.execution_id = execution_id;
        Some(lease.token.clone())
    }

    pub(super) fn get(&self, fence: u64) -> Option<&Lease> {
        self.out.get(&fence)
    }

    /// The lease of this very token, if it has not expired.
    pub(super) fn valid(&self, token: &LockToken, now: Timestamp) -> Option<&Lease> {
        let lease = self.out.get(&token.fence).filter(|lease| lease.token == *token)?;
        (now < lease.expires || self.pinned.contains(&token.fence)).then_some(lease)
    }

    pub(super) fn take(&mut self, fence: u64) -> Option<Lease> {
        let lease = self.out.remove(&fence)?;
        self.on_turns -= u64::from(lease.target == Target::Turn);
        self.expiries.remove(&(lease.expires, fence));
        self.pinned.remove(&fence);
        Some(lease)
    }

    pub(super) fn take_expired(&mut self, now: Timestamp) -> Option<Lease> {
        let (_, fence) = self.expiries.first().copied().filter(|(expires, _)| *expires <= now)?;
        self.take(fence)
    }

    pub(super) fn pin(&mut self, fence: u64) {
        if let Some(lease) = self.out.get(&fence) {
            self.expiries.remove(&(lease.expires, fence));
            self.pinned.insert(fence);
        }
    }

    pub(super) fn unpin_all(&mut self) {
        for fence in std::mem::take(&mut self.pinned) {
            if let Some(lease) = self.out.get(&fence) {
                self.expiries.insert((lease.expires, fence));
            }
        }
    }

    pub(super) fn renew(&mut self, token: &LockToken, ttl: Duration, now: Timestamp) -> Renewal {
        if self.valid(token, now).is_none() {
            return Renewal::Lost;
        }
        let until = now.saturating_add(ttl);
        let Some(lease) = self.out.get_mut(&token.fence) else { return Renewal::Lost };
        if self.expiries.remove(&(lease.expires, token.fence)) {
            self.expiries.insert((until, token.fence));
        }
        lease.expires = until;
        Renewal::Until(until)
    }

    pub(super) fn next_expiry(&self) -> Option<Timestamp> {
        self.expiries.first().map(|(expires, _)| *expires)
    }

    pub(super) fn count(&self) -> u64 {
        self.out.len() as u64
    }

    pub(super) fn on_turns(&self) -> u64 {
        self.on_turns
    }
}
