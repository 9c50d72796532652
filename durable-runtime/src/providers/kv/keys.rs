//! Keys: injective, and ordered as what they stand for.
//!
//! Ids have no control characters, so a NUL ends them, and no key of one instance is a prefix of another's.

use std::ops::Range;

use crate::ids::{EventId, ExecutionId, InstanceId, MessageId};

/// Format and fence epoch.
pub(super) const STORE: &[u8] = &[0x01];
const RING: u8 = 0x02;
const INSTANCE: u8 = 0x10;
const HISTORY: u8 = 0x11;
const TURNS: u8 = 0x12;
const ACTIVITIES: u8 = 0x13;
const CHUNK: u8 = 0x20;

/// Which of the two queues of an instance.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub(super) enum QueueKind {
    Turns,
    Activities,
}

impl QueueKind {
    const fn prefix(self) -> u8 {
        match self {
            Self::Turns => TURNS,
            Self::Activities => ACTIVITIES,
        }
    }
}

/// One slot of the ring of recent commits.
pub(super) fn ring(slot: u32) -> Vec<u8> {
    let mut key = vec![RING];
    key.extend(slot.to_be_bytes());
    key
}

/// All slots of the ring.
pub(super) fn ring_range() -> Range<Vec<u8>> {
    vec![RING]..vec![RING + 1]
}

/// The record of an instance.
pub(super) fn instance(instance: &InstanceId) -> Vec<u8> {
    under(INSTANCE, instance)
}

/// The records of all instances after this one.
pub(super) fn instances_after(after: Option<&InstanceId>) -> Range<Vec<u8>> {
    let from = after.map_or_else(|| vec![INSTANCE], |id| successor(under(INSTANCE, id)));
    from..vec![INSTANCE + 1]
}

/// The events that one transaction added to a history.
pub(super) fn history(instance: &InstanceId, execution: ExecutionId, first: EventId) -> Vec<u8> {
    let mut key = under(HISTORY, instance);
    key.extend(execution.0.to_be_bytes());
    key.extend(first.0.to_be_bytes());
    key
}

/// All history records.
pub(super) fn histories() -> Range<Vec<u8>> {
    vec![HISTORY]..vec![HISTORY + 1]
}

/// Whose history record it is, of which execution and from which event on, by its key.
pub(super) fn history_ids(key: &[u8]) -> Option<(InstanceId, ExecutionId, EventId)> {
    let (rest, first) = key.strip_prefix(&[HISTORY])?.split_last_chunk::<8>()?;
    let (id, execution) = rest.split_last_chunk::<8>()?;
    let id = std::str::from_utf8(id.strip_suffix(&[0])?).ok()?;
    let (execution, first) = (u64::from_be_bytes(*execution), u64::from_be_bytes(*first));
    Some((InstanceId::new(id).ok()?, ExecutionId(execution), EventId(first)))
}

/// The first event of a history record, by its key.
pub(super) fn history_first(key: &[u8]) -> Option<EventId> {
    let (_, last) = key.split_last_chunk::<8>()?;
    Some(EventId(u64::from_be_bytes(*last)))
}

/// The history records of an execution whose first event lies in `from..=to`.
pub(super) fn history_range(
    instance: &InstanceId,
    execution: ExecutionId,
    from: EventId,
    to: EventId,
) -> Range<Vec<u8>> {
    let mut end = history(instance, execution, to);
    end.push(0); // the key right after it, so that `to` is included
    history(instance, execution, from)..end
}

/// A message in a queue.
pub(super) fn message(kind: QueueKind, instance: &InstanceId, message: &MessageId) -> Vec<u8> {
    let mut key = under(kind.prefix(), instance);
    key.extend(message.as_str().as_bytes());
    key.push(0);
    key
}

/// All messages in all queues of this kind.
pub(super) fn messages(kind: QueueKind) -> Range<Vec<u8>> {
    vec![kind.prefix()]..vec![kind.prefix() + 1]
}

/// Whose message it is and which, by its key.
pub(super) fn message_ids(key: &[u8]) -> Option<(InstanceId, MessageId)> {
    let mut parts = key.get(1..)?.split(|byte| *byte == 0);
    let mut text = || std::str::from_utf8(parts.next()?).ok();
    Some((InstanceId::new(text()?).ok()?, MessageId::new(text()?).ok()?))
}

/// Whose record it is, by its key.
pub(super) fn instance_id(key: &[u8]) -> Option<InstanceId> {
    let text = key.get(1..)?.strip_suffix(&[0])?;
    InstanceId::new(std::str::from_utf8(text).ok()?).ok()
}

/// A part of the value of another key that is too long for one.
pub(super) fn chunk(of: &[u8], part: u32) -> Vec<u8> {
    let mut key = Vec::with_capacity(of.len() + 5);
    key.push(CHUNK);
    key.extend(of);
    key.extend(part.to_be_bytes());
    key
}

/// Ranges that hold every key of an instance and no other.
pub(super) fn all_of(instance: &InstanceId) -> impl Iterator<Item = Range<Vec<u8>>> {
    let whole = [INSTANCE, HISTORY, TURNS, ACTIVITIES].map(|prefix| under(prefix, instance));
    let chunks = whole.clone().map(|key| [&[CHUNK], key.as_slice()].concat());
    whole.into_iter().chain(chunks).map(|from| from.clone()..successor(from))
}

fn under(prefix: u8, instance: &InstanceId) -> Vec<u8> {
    let id = instance.as_str().as_bytes();
    let mut key = Vec::with_capacity(id.len() + 24);
    key.push(prefix);
    key.extend(id);
    key.push(0);
    key
}

/// The least key that does not start with `key`, which ends in NUL.
fn successor(mut key: Vec<u8>) -> Vec<u8> {
    key.pop();
    key.push(1);
    key
}

#[cfg(test)]
mod tests {
    use super::*;

    fn id(text: &str) -> InstanceId {
        InstanceId::new(text).unwrap()
    }

    #[test]
    fn no_two_things_have_one_key() {
        let ids = ["a", "ab", "a b", "a/b", "..", "Ä", "a%00", "b"];
        let mut keys = Vec::new();
        for one in ids {
            keys.push(instance(&id(one)));
            for other in ids {
                let other = MessageId::new(other).unwrap();
                keys.push(message(QueueKind::Turns, &id(one), &other));
                keys.push(message(QueueKind::Activities, &id(one), &other));
            }
            for number in [1, 2, 256, u64::MAX] {
                keys.push(history(&id(one), ExecutionId(number), EventId(1)));
                keys.push(history(&id(one), ExecutionId(1), EventId(number.wrapping_add(1))));
            }
        }
        let chunks: Vec<_> = keys.iter().flat_map(|key| [chunk(key, 0), chunk(key, 1)]).collect();
        keys.extend(chunks);
        let count = keys.len();
        keys.sort();
        keys.dedup();
        assert_eq!(keys.len(), count);
    }

    #[test]
    fn the_ranges_of_an_instance_hold_its_keys_alone() {
        let mine = [
            instance(&id("a")),
            history(&id("a"), ExecutionId(u64::MAX), EventId(u64::MAX)),
            message(QueueKind::Turns, &id("a"), &MessageId::new("ÿ").unwrap()),
            chunk(&message(QueueKind::Activities, &id("a"), &MessageId::new("m").unwrap()), u32::MAX),
        ];
        let others = [instance(&id("ab")), instance(&id("A")), history(&id("a "), ExecutionId(1), EventId(1))];
        let holds = |key: &Vec<u8>| all_of(&id("a")).any(|range| range.contains(key));
        assert!(mine.iter().all(holds));
        assert!(!others.iter().any(holds));
    }

    #[test]
    fn ids_are_read_back_from_keys() {
        let message_id = MessageId::new("m 1").unwrap();
        let key = message(QueueKind::Turns, &id("a/b"), &message_id);
        assert_eq!(message_ids(&key), Some((id("a/b"), message_id)));
        assert_eq!(instance_id(&instance(&id("☃"))), Some(id("☃")));
        let key = history(&id("a"), ExecutionId(2), EventId(77));
        assert_eq!(history_first(&key), Some(EventId(77)));
        assert_eq!(history_ids(&key), Some((id("a"), ExecutionId(2), EventId(77))));
        assert!(histories().contains(&key));
        assert_eq!(history_ids(&instance(&id("a"))), None);
        assert_eq!(history_ids(&chunk(&key, 0)), None);
    }

    #[test]
    fn keys_are_ordered_as_the_numbers_in_them() {
        let key = |execution, first| history(&id("a"), ExecutionId(execution), EventId(first));
        assert!(key(1, 255) < key(1, 256));
        assert!(key(1, u64::MAX) < key(2, 1));
        assert!(history_range(&id("a"), ExecutionId(1), EventId(2), EventId(9)).contains(&key(1, 9)));
        assert!(!history_range(&id("a"), ExecutionId(1), EventId(2), EventId(9)).contains(&key(1, 10)));
    }
}
