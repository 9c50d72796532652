//! Short commits, each kept as one record.
//!
//! sled writes a batch of several keys in two parts, one after the other, and one key in one. So a commit of few
//! bytes is kept whole under the key of a *slot*, and what it changes is known in memory from then on. The next commit
//! that is not short, or finds no slot free, puts all of that under its keys and empties the slots, in its own batch.
//! Nothing of this is seen from outside: reads look at what is in memory first.

use std::cmp::Ordering;
use std::collections::BTreeMap;
use std::ops::{Bound, Range};

use bytes::{Buf as _, BufMut as _, Bytes};

use super::super::store::{Batch, Order, Pair, StoreError};

/// The slots come after all other keys.
pub(super) const SLOTS: u8 = 0xff;
/// As many commits are kept in slots before they are put under their keys.
const SLOTS_MAX: u8 = 64;
/// What sled keeps beside its tree from this length on is not safe.
const RECORD_BYTES_MAX: usize = 4_096;
const CHECKSUM_BYTES: usize = 4;
/// Instead of a value's length: the key is taken out.
const REMOVED: u32 = u32::MAX;

/// What short commits have changed and is not under its keys yet.
#[derive(Debug, Default)]
pub(super) struct Short {
    fresh: BTreeMap<Bytes, Option<Bytes>>,
    used: u8,
}

/// What sled is to write for a commit.
#[derive(Debug)]
pub(super) enum Write {
    One(Vec<u8>, Vec<u8>),
    Many(sled::Batch),
}

impl Short {
    /// Reads the slots of a store, in order: those that are used come first.
    pub(super) fn read(
        slots: impl Iterator<Item = sled::Result<(sled::IVec, sled::IVec)>>,
    ) -> Result<Self, StoreError> {
        let mut short = Self::default();
        for slot in slots {
            let (key, record) = slot?;
            if record.is_empty() {
                break;
            }
            let changes = decode(&record).ok_or_else(|| StoreError::Damaged(format!("the commit in slot {key:?}")))?;
            short.fresh.extend(changes);
            short.used += 1;
        }
        Ok(short)
    }

    /// Takes a commit in, and says what to write for it.
    pub(super) fn write(&mut self, batch: Batch) -> Write {
        if self.used < SLOTS_MAX
            && let Some(record) = encode(&batch)
        {
            self.fresh.extend(batch.into_iter().map(|(key, value)| (key.into(), value.map(Bytes::from))));
            let slot = slot(self.used);
            self.used += 1;
            return Write::One(slot, record);
        }
        let mut all = self.settle();
        for (key, value) in &batch {
            put(&mut all, &key[..], value.as_deref());
        }
        Write::Many(all)
    }

    pub(super) fn is_empty(&self) -> bool {
        self.used == 0
    }

    /// What puts everything under its keys and empties the slots.
    pub(super) fn settle(&mut self) -> sled::Batch {
        let mut all = sled::Batch::default();
        for (key, value) in std::mem::take(&mut self.fresh) {
            put(&mut all, &key[..], value.as_deref());
        }
        for number in 0..std::mem::take(&mut self.used) {
            all.insert(slot(number), &[]);
        }
        all
    }

    /// `None` if only the tree knows.
    pub(super) fn get(&self, key: &[u8]) -> Option<Option<Bytes>> {
        self.fresh.get(key).cloned()
    }

    /// What is in the range, with what the tree has there.
    pub(super) fn scan(
        &self,
        range: Range<&[u8]>,
        (order, limit): (Order, usize),
        tree: impl Iterator<Item = Result<Pair, StoreError>>,
    ) -> Result<Vec<Pair>, StoreError> {
        let fresh = self.fresh.range::<[u8], _>((Bound::Included(range.start), Bound::Excluded(range.end)));
        match order {
            Order::Ascending => merge(fresh, tree, limit, |a, b| a.cmp(b)),
            Order::Descending => merge(fresh.rev(), tree, limit, |a, b| b.cmp(a)),
        }
    }
}

fn put(batch: &mut sled::Batch, key: &[u8], value: Option<&[u8]>) {
    match value {
        Some(value) => batch.insert(key, value),
        None => batch.remove(key),
    }
}

fn slot(number: u8) -> Vec<u8> {
    vec![SLOTS, number]
}

/// Both sides in the same order; where both have a key, the fresh one counts.
fn merge<'a>(
    fresh: impl Iterator<Item = (&'a Bytes, &'a Option<Bytes>)>,
    tree: impl Iterator<Item = Result<Pair, StoreError>>,
    limit: usize,
    compare: impl Fn(&[u8], &[u8]) -> Ordering,
) -> Result<Vec<Pair>, StoreError> {
    let (mut fresh, mut tree) = (fresh.peekable(), tree.peekable());
    let mut found = Vec::new();
    while found.len() < limit {
        let which = match (fresh.peek(), tree.peek()) {
            (None, None) => break,
            (Some(_), None) => Ordering::Less,
            (None, Some(_)) | (Some(_), Some(Err(_))) => Ordering::Greater,
            (Some((fresh, _)), Some(Ok((tree, _)))) => compare(fresh, tree),
        };
        if which == Ordering::Equal {
            tree.next();
        }
        if which == Ordering::Greater {
            found.extend(tree.next().transpose()?);
        } else if let Some((key, Some(value))) = fresh.next() {
            found.push((key.clone(), value.clone()));
        }
    }
    Ok(found)
}

/// `None` if it is too long for a slot.
fn encode(batch: &Batch) -> Option<Vec<u8>> {
    let bytes_of = |(key, value): &(Vec<u8>, Option<Vec<u8>>)| 2 + key.len() + 4 + value.as_ref().map_or(0, Vec::len);
    let length = batch.iter().map(bytes_of).sum::<usize>() + CHECKSUM_BYTES;
    if length > RECORD_BYTES_MAX || batch.is_empty() {
        return None;
    }
    let mut record = Vec::with_capacity(length);
    for (key, value) in batch {
        record.put_u16(u16::try_from(key.len()).ok()?);
        record.put_slice(key);
        record.put_u32(value.as_ref().map_or(Some(REMOVED), |value| u32::try_from(value.len()).ok())?);
        record.put_slice(value.as_deref().unwrap_or_default());
    }
    record.put_u32(crc32c::crc32c(&record));
    Some(record)
}

/// `None` if it is damaged.
fn decode(record: &[u8]) -> Option<Vec<(Bytes, Option<Bytes>)>> {
    let (body, checksum) = record.split_last_chunk::<CHECKSUM_BYTES>()?;
    if crc32c::crc32c(body) != u32::from_be_bytes(*checksum) {
        return None;
    }
    let mut rest = Bytes::copy_from_slice(body);
    let mut changes = Vec::new();
    while rest.has_remaining() {
        let length = rest.try_get_u16().ok()?.into();
        let key = take(&mut rest, length)?;
        let value = match rest.try_get_u32().ok()? {
            REMOVED => None,
            length => Some(take(&mut rest, length as usize)?),
        };
        changes.push((key, value));
    }
    Some(changes)
}

fn take(bytes: &mut Bytes, length: usize) -> Option<Bytes> {
    (length <= bytes.len()).then(|| bytes.split_to(length))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn put(key: &str, value: &str) -> (Vec<u8>, Option<Vec<u8>>) {
        (key.into(), Some(value.into()))
    }

    fn remove(key: &str) -> (Vec<u8>, Option<Vec<u8>>) {
        (key.into(), None)
    }

    fn text(pairs: &[Pair]) -> String {
        let text = |bytes: &Bytes| String::from_utf8_lossy(bytes).into_owned();
        pairs.iter().map(|(key, value)| format!("{}={}", text(key), text(value))).collect::<Vec<_>>().join(" ")
    }

    fn scan(short: &Short, tree: &[&str], order: Order, limit: usize) -> String {
        let mut tree: Vec<_> = tree.iter().map(|key| Ok((Bytes::from(key.to_string()), Bytes::from("tree")))).collect();
        if order == Order::Descending {
            tree.reverse();
        }
        text(&short.scan(b"a"..b"z", (order, limit), tree.into_iter()).unwrap())
    }

    #[test]
    fn a_record_reads_back_as_it_was_written() {
        let batch = vec![put("a", "1"), remove("b"), put("c", ""), put("", "x")];
        let changes = decode(&encode(&batch).unwrap()).unwrap();
        let back: Batch = changes.into_iter().map(|(key, value)| (key.into(), value.map(Vec::from))).collect();
        assert_eq!(back, batch);
    }

    #[test]
    fn a_damaged_record_is_noticed_wherever_the_damage_is() {
        let record = encode(&vec![put("key", "value"), remove("other")]).unwrap();
        for bit in 0..record.len() * 8 {
            let mut damaged = record.clone();
            damaged[bit / 8] ^= 1 << (bit % 8);
            assert_eq!(decode(&damaged), None, "bit {bit}");
        }
        for length in 0..record.len() {
            assert_eq!(decode(&record[..length]), None, "length {length}");
        }
    }

    #[test]
    fn what_is_fresh_hides_what_the_tree_has() {
        let mut short = Short::default();
        short.write(vec![put("b", "new"), remove("d"), put("e", "new")]);
        let tree = ["a", "b", "c", "d"];
        assert_eq!(scan(&short, &tree, Order::Ascending, 9), "a=tree b=new c=tree e=new");
        assert_eq!(scan(&short, &tree, Order::Ascending, 2), "a=tree b=new");
        assert_eq!(scan(&short, &tree, Order::Descending, 9), "e=new c=tree b=new a=tree");
        assert_eq!(scan(&short, &tree, Order::Descending, 2), "e=new c=tree");
        assert_eq!(short.get(b"d"), Some(None));
        assert_eq!(short.get(b"a"), None);
    }

    #[test]
    fn a_long_commit_and_a_full_row_of_slots_put_everything_under_its_keys() {
        let long = || vec![put("long", &"x".repeat(RECORD_BYTES_MAX))];
        let mut short = Short::default();
        assert!(matches!(short.write(vec![put("a", "1")]), Write::One(..)));
        assert!(matches!(short.write(long()), Write::Many(_)));
        assert_eq!(short.get(b"a"), None);
        for _ in 0..SLOTS_MAX {
            assert!(matches!(short.write(vec![put("a", "2")]), Write::One(..)));
        }
        assert!(matches!(short.write(vec![put("b", "3")]), Write::Many(_)));
        assert_eq!(scan(&short, &[], Order::Ascending, 9), "");
    }
}
