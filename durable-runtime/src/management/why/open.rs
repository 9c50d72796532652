//! What a history has asked for and not heard of.

use std::collections::{BTreeMap, BTreeSet, VecDeque};

use crate::history::{Event, EventKind};
use crate::ids::CommandId;

/// The events by which the commands were given that are open, in that order.
///
/// With `known`, the commands that are open in memory. Without it, as far as the history alone can tell: it does not have
/// which raised events were taken without waiting, or were passed over because they did not fit.
pub(super) fn open<'a>(history: &'a [Event], known: Option<&BTreeSet<CommandId>>) -> Vec<&'a Event> {
    let given = history.iter().filter_map(|event| Some((event.kind.opens()?, event)));
    match known {
        Some(known) => given.filter(|(command, _)| known.contains(command)).map(|(_, event)| event).collect(),
        None => alone(history).into_values().collect(),
    }
}

fn alone(history: &[Event]) -> BTreeMap<CommandId, &Event> {
    let mut open = BTreeMap::new();
    let mut buffered: BTreeMap<&str, u64> = BTreeMap::new();
    let mut waiting: BTreeMap<&str, VecDeque<CommandId>> = BTreeMap::new();
    for event in history {
        if let Some(command) = event.kind.opens() {
            open.insert(command, event);
        }
        if let Some(command) = event.kind.completes() {
            open.remove(&command);
        }
        match &event.kind {
            EventKind::CommandCancelled { command } => {
                open.remove(command);
                waiting.values_mut().for_each(|commands| commands.retain(|waits| waits != command));
            }
            EventKind::Started(started) => {
                started.carried.iter().for_each(|carried| *buffered.entry(&carried.name).or_default() += 1);
            }
            EventKind::EventRaised { name, .. } => match waiting.get_mut(name.as_str()).and_then(VecDeque::pop_front) {
                Some(command) => drop(open.remove(&command)),
                None => *buffered.entry(name).or_default() += 1,
            },
            EventKind::EventAwaited { command, name, .. } => match buffered.get_mut(name.as_str()) {
                Some(count) if *count > 0 => {
                    *count -= 1;
                    open.remove(command);
                }
                _ => waiting.entry(name).or_default().push_back(*command),
            },
            _ => {}
        }
    }
    open
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::clock::Timestamp;
    use crate::history::Place;
    use crate::ids::EventId;
    use crate::payload::Payload;

    fn awaited(command: u64, name: &str) -> EventKind {
        EventKind::EventAwaited { command: CommandId(command), name: name.to_owned(), place: Place::new("a.rs", 1) }
    }

    fn raised(name: &str) -> EventKind {
        EventKind::EventRaised { name: name.to_owned(), value: Payload::null(), key: None }
    }

    fn timer(command: u64) -> EventKind {
        EventKind::TimerSet { command: CommandId(command), fire_at: Timestamp::EPOCH, place: Place::new("a.rs", 2) }
    }

    #[track_caller]
    fn check(kinds: Vec<EventKind>, expected: &[u64]) {
        let events = kinds.into_iter().zip(1..).map(|(kind, id)| Event { id: EventId(id), at: Timestamp::EPOCH, kind });
        let history: Vec<_> = events.collect();
        let open: Vec<_> = open(&history, None).iter().filter_map(|event| event.kind.opens()).map(|id| id.0).collect();
        assert_eq!(open, expected);
    }

    #[test]
    fn a_raised_event_goes_to_the_oldest_wait_or_is_kept() {
        check(vec![awaited(1, "a"), awaited(2, "a"), raised("b"), raised("a")], &[2]);
        check(vec![raised("a"), awaited(1, "a"), awaited(2, "a")], &[2]);
        check(vec![awaited(1, "a"), EventKind::CommandCancelled { command: CommandId(1) }, raised("a")], &[]);
        check(
            vec![awaited(1, "a"), EventKind::CommandCancelled { command: CommandId(1) }, raised("a"), awaited(2, "a")],
            &[],
        );
    }

    #[test]
    fn what_came_back_is_not_open() {
        check(vec![timer(1), timer(2), EventKind::TimerFired { command: CommandId(1) }], &[2]);
    }

    #[test]
    fn what_is_known_in_memory_counts() {
        let history = vec![Event { id: EventId(1), at: Timestamp::EPOCH, kind: timer(1) }];
        assert_eq!(open(&history, Some(&BTreeSet::new())).len(), 0);
        assert_eq!(open(&history, Some(&BTreeSet::from([CommandId(1)]))).len(), 1);
    }
}
