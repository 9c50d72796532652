//! What is read when a store is opened: the queues, and which transactions were kept last.

use std::collections::{BTreeMap, HashSet, VecDeque};
use std::path::Path;

use bytes::Bytes;

use super::chunks::{self, ReadError};
use super::index::{Index, Lane, MessageKey, Queued};
use super::keys::{self, QueueKind};
use super::read;
use super::record::{self, Damage, Kind, Place};
use super::store::{Order, OrderedStore};
use super::values::{self, MessageValue};
use crate::providers::{CommitId, OpenError};

/// What the store's own record says is the format of keys and values.
const FORMAT: u64 = 2;
/// Without an index of labels.
const FORMAT_WITHOUT_INDEX: u64 = 1;
const PAIRS_AT_ONCE: usize = 1024;
/// Numbers given within one opening of the store stand below these bits, the number of the opening above.
const EPOCH_SHIFT: u32 = 40;

/// Everything about a store that is kept in memory.
pub(super) struct Recovered {
    pub(super) index: Index,
    pub(super) recent: Recent,
    /// The number of the last message.
    pub(super) sequence: u64,
}

/// How often messages were handed out, by the keys of those records.
type Counts = BTreeMap<Vec<u8>, Bytes>;

/// Reads a store that was just opened, and notes in it that this happened.
pub(super) fn recover(store: &mut dyn OrderedStore) -> Result<Recovered, ReadError> {
    let epoch = begin_epoch(store)?;
    let (recent, instances) = Recent::load(store)?;
    let mut index = Index::new(epoch, instances);
    let mut counts = Counts::new();
    for_each(store, keys::all_attempts(), |key, value| {
        counts.insert(key.to_vec(), value);
        Ok(())
    })?;
    for kind in [QueueKind::Turns, QueueKind::Activities] {
        load_queue(store, &counts, kind, &mut index)?;
    }
    Ok(Recovered { index, recent, sequence: epoch << EPOCH_SHIFT })
}

/// Why a store in this folder does not open.
pub(super) fn refused(path: &Path, error: &ReadError, what: &str) -> OpenError {
    let path = path.to_owned();
    let supported = u32::try_from(FORMAT).unwrap_or(u32::MAX);
    match error {
        ReadError::Damage(Damage::StoreFormat(found)) => match u32::try_from(*found) {
            Ok(found) if found > supported => OpenError::NewerFormat { path, found, supported },
            _ => OpenError::UnknownFormat { path, found: found.to_string(), supported },
        },
        error => OpenError::Corrupt { path, message: format!("{what}{error}") },
    }
}

/// Whether a store is one that can be read.
pub(super) fn check_format(store: &dyn OrderedStore) -> Result<(), ReadError> {
    let Some(value) = store.get(keys::STORE)? else { return Err(Damage::Missing(0).into()) };
    let (_, mut body) = record::open(Place { kind: Kind::Store, owner: None, key: keys::STORE }, value)?;
    match values::number(&mut body)? {
        FORMAT | FORMAT_WITHOUT_INDEX => Ok(()),
        other => Err(Damage::StoreFormat(other).into()),
    }
}

/// The number of this opening: on disk before any lease is granted, so that fences grow also over restarts.
fn begin_epoch(store: &mut dyn OrderedStore) -> Result<u64, ReadError> {
    let place = Place { kind: Kind::Store, owner: None, key: keys::STORE };
    let last = match store.get(keys::STORE)? {
        None => 0,
        Some(value) => {
            let (_, mut body) = record::open(place, value)?;
            match values::number(&mut body)? {
                FORMAT => {}
                FORMAT_WITHOUT_INDEX => index_labels(store)?,
                other => return Err(Damage::StoreFormat(other).into()),
            }
            values::number(&mut body)?
        }
    };
    let epoch = last + 1;
    let body = [FORMAT.to_be_bytes(), epoch.to_be_bytes()].concat();
    store.apply(vec![(keys::STORE.to_vec(), Some(record::seal(place, 0, &body)))])?;
    store.sync()?;
    Ok(epoch)
}

/// Makes the index of labels of a store that has none yet. A record that is damaged is left out: it is listed by nobody.
fn index_labels(store: &mut dyn OrderedStore) -> Result<(), ReadError> {
    let mut from = keys::instances_from("");
    loop {
        let pairs = store.scan(&from.start..&from.end, Order::Ascending, PAIRS_AT_ONCE)?;
        let Some((last, _)) = pairs.last() else { break };
        from.start = [last, [0].as_slice()].concat();
        let mut batch = Vec::new();
        for id in pairs.iter().filter_map(|(key, _)| keys::instance_id(key)) {
            let Ok(Some((record, _))) = read::instance(&id, |key| store.get(key)) else { continue };
            batch.extend(record.labels.iter().map(|(name, value)| {
                let key = keys::label(name, value, &id);
                let sealed = record::seal(Place { kind: Kind::Label, owner: Some(&id), key: &key }, 0, &[]);
                (key, Some(sealed))
            }));
        }
        store.apply(batch)?;
        store.sync()?;
    }
    Ok(())
}

fn load_queue(store: &dyn OrderedStore, counts: &Counts, kind: QueueKind, index: &mut Index) -> Result<(), ReadError> {
    for_each(store, keys::messages(kind), |key, value| {
        let (instance, id) = keys::message_ids(&key).ok_or(Damage::Content)?;
        let of = MessageKey { kind, instance, id };
        match queued(store, counts, &of, (&key, value)) {
            Ok(message) => index.insert(of, message),
            // A damaged activity is handed to nobody, a damaged message for a turn stops its instance, and neither
            // stops the store. Both stay where they are.
            Err(ReadError::Damage(damage)) => {
                tracing::error!(instance = %of.instance, message = %of.id, %damage, "a message is damaged");
                let what = format!("message `{}` is damaged: {damage}", of.id);
                match kind {
                    QueueKind::Turns => index.quarantine(&of.instance, what),
                    QueueKind::Activities => index.park(&of.instance, what),
                }
            }
            Err(error) => return Err(error),
        }
        Ok(())
    })
}

fn queued(
    store: &dyn OrderedStore,
    counts: &Counts,
    of: &MessageKey,
    (key, value): (&[u8], Bytes),
) -> Result<Queued, ReadError> {
    let place = Place { kind: Kind::Message, owner: Some(&of.instance), key };
    let (body, parts) = chunks::read(place, value, |key| store.get(key))?;
    let message = MessageValue::decode(body)?;
    let MessageValue { sequence, visible_at, execution_id, topic, tag, session, .. } = message;
    let in_lane = of.kind == QueueKind::Activities || !topic.is_empty();
    let lane = in_lane.then(|| Lane { topic, tag, session }.into());
    // A count that is damaged is not worth stopping for.
    let counted = counts.get(&keys::attempts(key)).and_then(|value| values::decode_count(of, value.clone()).ok());
    let attempt = counted.unwrap_or(message.attempt);
    Ok(Queued { place: (visible_at, sequence), execution_id, attempt, parts, recovered: true, lane })
}

fn for_each(
    store: &dyn OrderedStore,
    range: std::ops::Range<Vec<u8>>,
    mut visit: impl FnMut(Bytes, Bytes) -> Result<(), ReadError>,
) -> Result<(), ReadError> {
    let mut from = range.start;
    loop {
        let pairs = store.scan(&from..&range.end, Order::Ascending, PAIRS_AT_ONCE)?;
        let Some((last, _)) = pairs.last() else { return Ok(()) };
        from = [last, [0].as_slice()].concat();
        for (key, value) in pairs {
            visit(key, value)?;
        }
    }
}

/// The transactions kept last, so that one that is handed over again is not kept twice. The newest stand also in a
/// ring of keys, one key for each group of transactions.
pub(super) struct Recent {
    ids: HashSet<CommitId>,
    order: VecDeque<CommitId>,
    /// The number of the next group.
    next: u64,
}

impl Recent {
    const IDS_MAX: usize = 64 * 1024;
    const RING_SLOTS: u64 = 4096;
    /// So that a slot fits in one value.
    const IDS_PER_SLOT: usize = 240;

    pub(super) fn contains(&self, id: CommitId) -> bool {
        self.ids.contains(&id)
    }

    /// The keys that say these were kept, and how many instances there are then.
    pub(super) fn encode(&self, ids: &[CommitId], instances: u64) -> Vec<(Vec<u8>, Option<Vec<u8>>)> {
        let slot = |(number, ids): (u64, &[CommitId])| {
            let key = ring_key(number);
            let mut body = [number.to_be_bytes(), instances.to_be_bytes()].concat();
            body.extend(ids.iter().flat_map(|id| id.0.to_be_bytes()));
            let value = record::seal(Place { kind: Kind::Ring, owner: None, key: &key }, 0, &body);
            (key, Some(value))
        };
        (self.next..).zip(ids.chunks(Self::IDS_PER_SLOT)).map(slot).collect()
    }

    /// They are on disk.
    pub(super) fn add(&mut self, ids: &[CommitId]) {
        self.next += ids.len().div_ceil(Self::IDS_PER_SLOT) as u64;
        for id in ids.iter().filter(|id| self.ids.insert(**id)) {
            self.order.push_back(*id);
        }
        while self.order.len() > Self::IDS_MAX
            && let Some(oldest) = self.order.pop_front()
        {
            self.ids.remove(&oldest);
        }
    }

    fn load(store: &dyn OrderedStore) -> Result<(Self, u64), ReadError> {
        let mut slots = Vec::new();
        for_each(store, keys::ring_range(), |key, value| {
            slots.push(decode_slot(&key, value)?);
            Ok(())
        })?;
        slots.sort_unstable_by_key(|(number, ..)| *number);
        let (next, instances) = slots.last().map_or((0, 0), |(number, instances, _)| (number + 1, *instances));
        let mut recent = Self { ids: HashSet::new(), order: VecDeque::new(), next: 0 };
        slots.iter().for_each(|(.., ids)| recent.add(ids));
        recent.next = next;
        Ok((recent, instances))
    }
}

fn ring_key(number: u64) -> Vec<u8> {
    keys::ring(u32::try_from(number % Recent::RING_SLOTS).unwrap_or_default())
}

fn decode_slot(key: &[u8], value: Bytes) -> Result<(u64, u64, Vec<CommitId>), Damage> {
    let (_, mut body) = record::open(Place { kind: Kind::Ring, owner: None, key }, value)?;
    let (number, instances) = (values::number(&mut body)?, values::number(&mut body)?);
    let (ids, _) = body.as_chunks::<16>();
    Ok((number, instances, ids.iter().map(|id| CommitId(u128::from_be_bytes(*id))).collect()))
}
