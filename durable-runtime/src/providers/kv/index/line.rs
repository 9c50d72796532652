//! What waits in one lane: each instance in its own order, and the instances by turns.
//!
//! Start-time fair queueing (Goyal, Vin, Cheng 1996), with every activity of the same weight: the time of the queue is how
//! many it has handed out. What becomes free gets the time; the first of an instance counts from then, or from when the
//! instance had its last turn, whichever is later; the earliest goes first. So who asks for ten thousand gets one turn
//! like everybody else, and nobody waits for ever. Each step costs a logarithm.

use std::collections::{BTreeMap, BTreeSet};

use super::Place;
use crate::clock::Timestamp;
use crate::ids::{InstanceId, MessageId};

/// Since when an instance waits for its turn, by the time of the queue; then the place of its first.
pub(super) type Rank = (u64, Place);

/// See the module.
#[derive(Debug, Default)]
pub(super) struct Line {
    instances: BTreeMap<InstanceId, Own>,
    /// The first of each instance that was visible when somebody looked.
    ready: BTreeSet<(Rank, InstanceId)>,
    /// The first of each other instance.
    later: BTreeSet<(Place, InstanceId)>,
}

/// What one instance has in a lane.
#[derive(Debug, Default)]
struct Own {
    /// With the time of the queue when it became free.
    waiting: BTreeMap<(Place, MessageId), u64>,
    last_turn: u64,
    /// Where its first stands among those of the others.
    stands: Option<Stands>,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Stands {
    Ready(Rank),
    Later(Place),
}

impl Own {
    fn rank(&self) -> Option<Rank> {
        let ((place, _), freed_at) = self.waiting.first_key_value()?;
        Some(((*freed_at).max(self.last_turn), *place))
    }
}

impl Line {
    pub(super) fn is_empty(&self) -> bool {
        self.instances.is_empty()
    }

    /// An activity is free from this time of the queue on.
    pub(super) fn insert(&mut self, of: (&InstanceId, &MessageId), place: Place, time: u64, seen: Timestamp) {
        let own = self.instances.entry(of.0.clone()).or_default();
        own.waiting.insert((place, of.1.clone()), time);
        self.stand(of.0, seen);
    }

    /// It is not free any more; at this time, if that was the turn of its instance.
    pub(super) fn remove(&mut self, of: (&InstanceId, &MessageId), place: Place, turn: Option<u64>, seen: Timestamp) {
        let Some(own) = self.instances.get_mut(of.0) else { return };
        own.waiting.remove(&(place, of.1.clone()));
        own.last_turn = turn.unwrap_or(own.last_turn);
        self.stand(of.0, seen);
    }

    /// Brings the place of an instance up to date. One with nothing is forgotten: what it gets counts from then anyway.
    fn stand(&mut self, instance: &InstanceId, seen: Timestamp) {
        let Some(own) = self.instances.get_mut(instance) else { return };
        let stands = own.rank().map(|rank| {
            let is_visible = rank.1.0 <= seen;
            if is_visible { Stands::Ready(rank) } else { Stands::Later(rank.1) }
        });
        let before = std::mem::replace(&mut own.stands, stands);
        if before == stands {
            return;
        }
        match before {
            Some(Stands::Ready(rank)) => self.ready.remove(&(rank, instance.clone())),
            Some(Stands::Later(place)) => self.later.remove(&(place, instance.clone())),
            None => false,
        };
        match stands {
            Some(Stands::Ready(rank)) => self.ready.insert((rank, instance.clone())),
            Some(Stands::Later(place)) => self.later.insert((place, instance.clone())),
            None => self.instances.remove(instance).is_some(),
        };
    }

    /// Takes note of what has become visible.
    pub(super) fn look(&mut self, now: Timestamp) {
        while let Some((place, instance)) = self.later.first()
            && place.0 <= now
        {
            let instance = instance.clone();
            self.stand(&instance, now);
        }
    }

    /// Whose turn it is, and what is to be handed out then.
    pub(super) fn first(&self, now: Timestamp) -> Option<(Rank, &InstanceId, &MessageId)> {
        // After a step back of the clock what was visible may not be so any more.
        let ready = self.ready.iter().filter(|((_, place), _)| place.0 <= now).map(|(rank, of)| (*rank, of)).next();
        let unseen = self.later.iter().take_while(|(place, _)| place.0 <= now);
        let unseen = unseen.filter_map(|(_, of)| Some((self.instances.get(of)?.rank()?, of)));
        let (rank, instance) = ready.into_iter().chain(unseen).min()?;
        let ((_, id), _) = self.instances.get(instance)?.waiting.first_key_value()?;
        Some((rank, instance, id))
    }

    /// When the next one becomes visible after `now`.
    pub(super) fn next_due(&self, now: Timestamp) -> Option<Timestamp> {
        let later = self.later.iter().map(|(place, _)| place.0).find(|due| *due > now);
        // Nothing of these was ever invisible, unless the clock was set back.
        let hidden = self.ready.iter().map(|((_, place), _)| place.0).filter(|due| *due > now).min();
        later.into_iter().chain(hidden).min()
    }
}
