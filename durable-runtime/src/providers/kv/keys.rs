//! Keys: injective, and ordered as what they stand for.
//!
//! Ids have no control characters, so a NUL ends them, and no key of one instance is a prefix of another's.

use std::ops::Range;

use super::index::MessageKey;
use super::record::Kind;
use crate::ids::{EventId, ExecutionId, InstanceId, MessageId};

/// Format and fence epoch.
pub(super) const STORE: &[u8] = &[0x01];
const RING: u8 = 0x02;
const INSTANCE: u8 = 0x10;
const HISTORY: u8 = 0x11;
const TURNS: u8 = 0x12;
const ACTIVITIES: u8 = 0x13;
const LABEL: u8 = 0x14;
const ENTRY: u8 = 0x15;
const ATTEMPTS: u8 = 0x16;
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

/// The records of all instances whose id is this text or comes after it.
pub(super) fn instances_from(from: &str) -> Range<Vec<u8>> {
    [&[INSTANCE], from.as_bytes()].concat()..vec![INSTANCE + 1]
}

/// The events that one transaction added to a history.
pub(super) fn history(instance: &InstanceId, execution: ExecutionId, first: EventId) -> Vec<u8> {
    let mut key = under(HISTORY, instance);
    key.extend(execution.0.to_be_bytes());
    key.extend(first.0.to_be_bytes());
    key
}

/// The keys of all history records of an instance from this execution on.
pub(super) fn executions_from(instance: &InstanceId, from: ExecutionId) -> Range<Vec<u8>> {
    history(instance, from, EventId(0))..successor(under(HISTORY, instance))
}

/// Ranges that hold every key of the history of an execution and no other.
pub(super) fn all_of_execution(instance: &InstanceId, execution: ExecutionId) -> [Range<Vec<u8>>; 2] {
    let whole = history_range(instance, execution, EventId(0), EventId(u64::MAX));
    let mut last = chunk(&history(instance, execution, EventId(u64::MAX)), u32::MAX);
    last.push(0);
    let chunks = [&[CHUNK], whole.start.as_slice()].concat()..last;
    [whole, chunks]
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

/// How often a message was handed out, by the key of the message.
pub(super) fn attempts(message: &[u8]) -> Vec<u8> {
    [&[ATTEMPTS], message].concat()
}

/// All of those.
pub(super) fn all_attempts() -> Range<Vec<u8>> {
    vec![ATTEMPTS]..vec![ATTEMPTS + 1]
}

/// What a key stands for.
pub(super) enum Class<'a> {
    /// A record of the store itself: what it is called, and its kind.
    Store(&'static str, Kind),
    Instance(InstanceId),
    History(InstanceId, ExecutionId, EventId),
    Message(MessageKey),
    Label(InstanceId),
    Entry(InstanceId, String),
    Attempts(MessageKey),
    /// A part of the record of this key.
    Chunk(&'a [u8]),
    Unknown,
}

/// What a key stands for.
pub(super) fn classify(key: &[u8]) -> Class<'_> {
    let known = match key.first() {
        Some(0x01) if key == STORE => Some(Class::Store("record of the store", Kind::Store)),
        Some(&RING) => Some(Class::Store("record of recent commits", Kind::Ring)),
        Some(&INSTANCE) => instance_id(key).map(Class::Instance),
        Some(&HISTORY) => history_ids(key).map(|(id, execution, first)| Class::History(id, execution, first)),
        Some(&TURNS | &ACTIVITIES) => message_key(key).map(Class::Message),
        Some(&LABEL) => labelled_id(key).map(Class::Label),
        Some(&ENTRY) => entry_ids(key).map(|(id, name)| Class::Entry(id, name)),
        Some(&ATTEMPTS) => key.get(1..).and_then(message_key).map(Class::Attempts),
        Some(&CHUNK) => key.get(1..key.len().saturating_sub(4)).map(Class::Chunk),
        _ => None,
    };
    known.unwrap_or(Class::Unknown)
}

fn message_key(key: &[u8]) -> Option<MessageKey> {
    let kind = if *key.first()? == TURNS { QueueKind::Turns } else { QueueKind::Activities };
    let (instance, id) = message_ids(key)?;
    Some(MessageKey { kind, instance, id })
}

fn entry_ids(key: &[u8]) -> Option<(InstanceId, String)> {
    let rest = key.get(1..)?;
    let end = rest.iter().position(|byte| *byte == 0)?;
    let id = InstanceId::new(std::str::from_utf8(rest.get(..end)?).ok()?).ok()?;
    Some((id, std::str::from_utf8(rest.get(end + 1..)?).ok()?.to_owned()))
}

/// A value of the keys and values of an instance.
pub(super) fn entry(instance: &InstanceId, name: &str) -> Vec<u8> {
    let mut key = under(ENTRY, instance);
    key.extend(name.as_bytes());
    key
}

/// The values of an instance whose key begins so and comes after this one.
pub(super) fn entries(instance: &InstanceId, prefix: &str, after: Option<&str>) -> Range<Vec<u8>> {
    let first = entry(instance, prefix);
    let from = after.map_or_else(Vec::new, |after| [entry(instance, after).as_slice(), &[0]].concat());
    // No text has a byte 0xff.
    let end = if prefix.is_empty() { successor(first.clone()) } else { [first.as_slice(), &[0xff]].concat() };
    from.max(first)..end
}

/// The key of a value, by its key in the store.
pub(super) fn entry_name<'a>(instance: &InstanceId, key: &'a [u8]) -> Option<&'a str> {
    std::str::from_utf8(key.strip_prefix(under(ENTRY, instance).as_slice())?).ok()
}

/// So much of a name or a value stands in the index: what is found by it is to be looked at.
const INDEXED_BYTES: usize = 128;

/// That an instance has a label.
pub(super) fn label(name: &str, value: &str, instance: &InstanceId) -> Vec<u8> {
    let mut key = labelled(name, value);
    key.extend(instance.as_str().as_bytes());
    key.push(0);
    key
}

/// The instances with a label from this id on.
pub(super) fn labelled_from(name: &str, value: &str, from: &str) -> Range<Vec<u8>> {
    let list = labelled(name, value);
    [list.as_slice(), from.as_bytes()].concat()..successor(list)
}

/// The whole index of labels.
pub(super) fn labels() -> Range<Vec<u8>> {
    vec![LABEL]..vec![LABEL + 1]
}

/// Which instance it is that has a label.
pub(super) fn labelled_id(key: &[u8]) -> Option<InstanceId> {
    let id = key.strip_suffix(&[0])?.rsplit(|byte| *byte == 0).next()?;
    InstanceId::new(std::str::from_utf8(id).ok()?).ok()
}

fn labelled(name: &str, value: &str) -> Vec<u8> {
    let mut key = vec![LABEL];
    for text in [name, value] {
        for byte in text.bytes().take(INDEXED_BYTES) {
            // NUL ends a text, so there is none inside.
            match byte {
                0 | 1 => key.extend([1, byte + 1]),
                byte => key.push(byte),
            }
        }
        key.push(0);
    }
    key
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

/// Ranges that hold every key of an instance and no other, but for the index of its labels.
pub(super) fn all_of(instance: &InstanceId) -> impl Iterator<Item = Range<Vec<u8>>> {
    let whole = [INSTANCE, HISTORY, TURNS, ACTIVITIES, ENTRY].map(|prefix| under(prefix, instance));
    let chunks = whole.clone().map(|key| [&[CHUNK], key.as_slice()].concat());
    let counts = [TURNS, ACTIVITIES].map(|prefix| attempts(&under(prefix, instance)));
    whole.into_iter().chain(chunks).chain(counts).map(|from| from.clone()..successor(from))
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
            for other in ["", "a", "\0", "\u{1}", "b\0"] {
                keys.push(entry(&id(one), other));
                keys.push(label(other, "v", &id(one)));
                keys.push(label("n", other, &id(one)));
            }
            let first = MessageId::new("first").unwrap();
            keys.push(attempts(&message(QueueKind::Turns, &id(one), &first)));
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
            entry(&id("a"), ""),
            chunk(&entry(&id("a"), "☃"), 7),
            attempts(&message(QueueKind::Activities, &id("a"), &MessageId::new("m").unwrap())),
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
    fn lists_of_labels_and_pages_of_values_are_ranges() {
        let range = labelled_from("a", "b", "");
        assert!(range.contains(&label("a", "b", &id("x"))) && !range.contains(&label("a", "b ", &id("x"))));
        assert_eq!(labelled_id(&label("a\0", "\u{1}", &id("x/y"))), Some(id("x/y")));
        assert!(!labelled_from("a", "b", "x\u{1}").contains(&label("a", "b", &id("x"))));
        assert!(labelled_from("a", "b", "x\u{1}").contains(&label("a", "b", &id("x "))));
        let key = |name| entry(&id("a"), name);
        assert!(entries(&id("a"), "", None).contains(&key("")));
        assert!(entries(&id("a"), "p", None).contains(&key("p☃")) && !entries(&id("a"), "p", None).contains(&key("q")));
        assert!(!entries(&id("a"), "p", Some("pa")).contains(&key("pa")));
        assert!(entries(&id("a"), "p", Some("a")).contains(&key("p")));
        assert_eq!(entry_name(&id("a"), &key("p\0☃")), Some("p\0☃"));
    }

    #[test]
    fn the_ranges_of_an_execution_hold_its_keys_alone() {
        let key = |execution, first| history(&id("a"), ExecutionId(execution), EventId(first));
        let holds = |key: &Vec<u8>| all_of_execution(&id("a"), ExecutionId(2)).iter().any(|range| range.contains(key));
        let last = key(2, u64::MAX);
        assert!([key(2, 1), last.clone(), chunk(&key(2, 1), 3), chunk(&last, u32::MAX)].iter().all(holds));
        assert!(![key(1, u64::MAX), key(3, 1), chunk(&key(1, 9), u32::MAX), chunk(&key(3, 1), 0)].iter().any(holds));
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
