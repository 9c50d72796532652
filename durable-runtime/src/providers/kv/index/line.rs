//! What waits in one lane: each instance in its own order, and the instances by turns.
//!
//! Start-time fair queueing (Goyal, Vin, Cheng 1996), with every activity of the same weight: the time of the queue is how
//! many it has handed out. What becomes free gets the time; the first of an instance counts from then, or from when the
//! instance had its last turn, whichever is later; the earliest goes first. So who asks for ten thousand gets one turn
//! like everybody else, and nobody waits for ever. Each step costs a logarithm.

use std::collections::{BTreeMap, BTreeSet};

use super::Place;
use super::few::Few;
use crate::clock::Timestamp;
use crate::ids::{InstanceId, MessageId};

/// Since when an instance waits for its turn, by the time of the queue; then the place of its first.
pub(super) type Rank = (u64, Place);

/// See the module.
#[derive(Debug, Default)]
pub(super) struct Line {
    instances: BTreeMap<InstanceId, Own>,
    /// The first of each instance that was visible when somebody looked last.
    ready: BTreeSet<(Rank, InstanceId)>,
    /// The first of each other instance.
    later: BTreeSet<(Place, InstanceId)>,
}

/// What one instance has in a lane.
#[derive(Debug, Default)]
struct Own {
    /// With the time of the queue when it became free.
    waiting: Few<(Place, MessageId), u64>,
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
        let ((place, _), freed_at) = self.waiting.first()?;
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

    /// Takes note of what has become visible since `seen`; and of what is not any more, after a step back of the clock.
    pub(super) fn look(&mut self, now: Timestamp, seen: Timestamp) {
        if now < seen {
            let all: Vec<_> = self.ready.iter().map(|(_, instance)| instance.clone()).collect();
            all.iter().for_each(|instance| self.stand(instance, now));
        }
        while let Some((place, instance)) = self.later.first()
            && place.0 <= now
        {
            let instance = instance.clone();
            self.stand(&instance, now);
        }
    }

    /// Whether anything is visible.
    pub(super) fn any_ready(&self, now: Timestamp) -> bool {
        let is_visible = |place: &Place| place.0 <= now;
        self.ready.iter().any(|((_, place), _)| is_visible(place))
            || self.later.first().is_some_and(|(place, _)| is_visible(place))
    }

    /// Whose turn it is, and what is to be handed out then.
    pub(super) fn first(&self, now: Timestamp) -> Option<(Rank, &InstanceId, &MessageId)> {
        // After a step back of the clock, and before somebody looks, what was visible may not be so any more.
        let ready = self.ready.iter().find(|((_, place), _)| place.0 <= now).map(|(rank, of)| (*rank, of));
        let unseen = self.later.iter().take_while(|(place, _)| place.0 <= now);
        let unseen = unseen.filter_map(|(_, of)| Some((self.instances.get(of)?.rank()?, of)));
        let (rank, instance) = ready.into_iter().chain(unseen).min()?;
        let ((_, id), _) = self.instances.get(instance)?.waiting.first()?;
        Some((rank, instance, id))
    }

    /// When the next one becomes visible after `now`; somebody looked at `seen`.
    pub(super) fn next_due(&self, now: Timestamp, seen: Timestamp) -> Option<Timestamp> {
        let later = self.later.iter().map(|(place, _)| place.0).find(|due| *due > now);
        // What was visible then is so now, unless the clock was set back: else this would go over all that wait.
        let hidden = || self.ready.iter().map(|((_, place), _)| place.0).filter(|due| *due > now).min();
        let hidden = if now < seen { hidden() } else { None };
        later.into_iter().chain(hidden).min()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn at(millis: u64) -> Timestamp {
        Timestamp::from_millis(millis)
    }

    #[test]
    fn a_clock_that_is_set_back_hides_what_was_visible() {
        let (instance, early, late) =
            (InstanceId::new("a").unwrap(), MessageId::new("early").unwrap(), MessageId::new("late").unwrap());
        let mut line = Line::default();
        line.insert((&instance, &early), (at(10), 1), 0, at(0));
        line.insert((&instance, &late), (at(20), 2), 0, at(0));
        assert!(!line.any_ready(at(9)));
        assert_eq!((line.first(at(9)), line.next_due(at(9), at(0))), (None, Some(at(10))));
        line.look(at(15), at(0));
        assert!(line.any_ready(at(15)));
        assert_eq!(line.first(at(15)).map(|(_, _, id)| id), Some(&early));
        // Before somebody looks, and after.
        assert_eq!((line.first(at(5)), line.next_due(at(5), at(15))), (None, Some(at(10))));
        line.look(at(5), at(15));
        assert_eq!((line.any_ready(at(5)), line.next_due(at(5), at(5))), (false, Some(at(10))));
        line.look(at(30), at(5));
        line.remove((&instance, &early), (at(10), 1), Some(1), at(30));
        assert_eq!(line.first(at(30)), Some(((1, (at(20), 2)), &instance, &late)));
        line.remove((&instance, &late), (at(20), 2), Some(2), at(30));
        assert!(line.is_empty());
    }
}
