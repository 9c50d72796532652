//! Who holds which session until when. In memory, as leases: when the process ends, all are free.

use std::collections::{BTreeMap, BTreeSet};
use std::time::Duration;

use crate::clock::Timestamp;
use crate::providers::OwnerId;

#[derive(Debug)]
struct Held {
    owner: OwnerId,
    /// How long the owner wants to hold it from each use on.
    ttl: Duration,
    until: Timestamp,
}

/// See the module.
#[derive(Debug, Default)]
pub(super) struct Sessions {
    held: BTreeMap<String, Held>,
    expiries: BTreeSet<(Timestamp, String)>,
}

impl Sessions {
    /// Whether this owner may take what belongs to a session.
    pub(super) fn is_open_to(&self, session: &str, owner: &OwnerId, now: Timestamp) -> bool {
        self.held.get(session).is_none_or(|held| held.owner == *owner || held.until <= now)
    }

    /// This owner holds it until then, at least.
    pub(super) fn hold(&mut self, session: &str, owner: &OwnerId, ttl: Duration, until: Timestamp) {
        let kept = self.held.remove(session);
        if let Some(held) = &kept {
            self.expiries.remove(&(held.until, session.to_owned()));
        }
        let before = kept.filter(|held| held.owner == *owner).map(|held| held.until);
        let until = before.into_iter().chain([until]).max().unwrap_or(until);
        self.expiries.insert((until, session.to_owned()));
        self.held.insert(session.to_owned(), Held { owner: owner.clone(), ttl, until });
    }

    /// A lease on something of it was renewed until then.
    pub(super) fn renew(&mut self, session: &str, now: Timestamp, until: Timestamp) {
        if let Some(Held { owner, ttl, .. }) = self.held.get(session) {
            let (owner, ttl) = (owner.clone(), *ttl);
            self.hold(session, &owner, ttl, until.max(now.saturating_add(ttl)));
        }
    }

    /// Frees what has expired; answers whether anything did.
    pub(super) fn expire(&mut self, now: Timestamp) -> bool {
        let mut any = false;
        while self.expiries.first().is_some_and(|(until, _)| *until <= now)
            && let Some((_, session)) = self.expiries.pop_first()
        {
            self.held.remove(&session);
            any = true;
        }
        any
    }

    pub(super) fn next_expiry(&self) -> Option<Timestamp> {
        self.expiries.first().map(|(until, _)| *until)
    }
}
