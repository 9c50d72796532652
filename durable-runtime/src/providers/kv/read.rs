//! Reading the store: each function one kind of record, with errors that name it.

use bytes::Bytes;

use super::super::labelled::{self, Listed};
use super::chunks::{self, ReadError};
use super::heads::Head;
use super::index::MessageKey;
use super::keys;
use super::record::{Damage, Kind, Place};
use super::store::{Order, OrderedStore, StoreError};
use super::values::{self, MessageValue};
use crate::ids::{EventId, ExecutionId, InstanceId};
use crate::providers::{ErrorKind, ExecutionInfo, InstanceRecord, KvPage, KvPageRequest, ProviderError, StoredEvent};

/// How many history records are read at once.
const RECORDS_AT_ONCE: usize = 64;

/// The record of an instance, and in how many parts it is kept.
pub(super) fn instance(
    instance: &InstanceId,
    get: impl Fn(&[u8]) -> Result<Option<Bytes>, StoreError>,
) -> Result<Option<(InstanceRecord, u32)>, ProviderError> {
    let key = keys::instance(instance);
    let error = |error| failed("read instance", instance, "its record", error);
    let Some(value) = get(&key).map_err(|cause| error(cause.into()))? else { return Ok(None) };
    let place = Place { kind: Kind::Instance, owner: Some(instance), key: &key };
    let (body, parts) = chunks::read(place, value, get).map_err(error)?;
    let record = values::decode_instance(instance, body).map_err(|damage| error(damage.into()))?;
    Ok(Some((record, parts)))
}

/// Up to `limit` records of instances whose id is this text or comes after it, or what is wrong with them.
pub(super) fn instances(store: &dyn OrderedStore, from: &str, limit: usize) -> Result<Vec<Listed>, ProviderError> {
    let range = keys::instances_from(from);
    let pairs = store.scan(&range.start..&range.end, Order::Ascending, limit);
    let pairs = pairs.map_err(|error| error.during("list instances"))?;
    let decode = |(key, value): (Bytes, Bytes)| {
        let id = keys::instance_id(&key)
            .ok_or_else(|| ProviderError::new(ErrorKind::Corrupt, "list instances", "a key names no instance"))?;
        let error = |error| failed("list instances", &id, "its record", error);
        let place = Place { kind: Kind::Instance, owner: Some(&id), key: &key };
        let body = chunks::read(place, value, |key| store.get(key)).map_err(error);
        let record =
            body.and_then(|(body, _)| values::decode_instance(&id, body).map_err(|damage| error(damage.into())));
        labelled::listed(&id, record)
    };
    pairs.into_iter().map(decode).collect()
}

/// The end of an instance.
pub(super) fn head(store: &dyn OrderedStore, id: &InstanceId) -> Result<Option<Head>, ProviderError> {
    let Some((record, _)) = instance(id, |key| store.get(key))? else { return Ok(None) };
    let history_len = history_len(store, id, record.execution_id)?;
    Ok(Some(Head { execution_id: record.execution_id, history_len, revision: record.revision }))
}

/// How many events an execution has.
pub(super) fn history_len(
    store: &dyn OrderedStore,
    instance: &InstanceId,
    execution: ExecutionId,
) -> Result<u64, ProviderError> {
    let last = history_records(store, instance, execution, EventId(0), EventId(u64::MAX), Order::Descending, 1)?;
    Ok(last.first().map_or(0, |(first, events)| first.0 - 1 + events.len() as u64))
}

/// Up to `limit` events from `from` on.
pub(super) fn history(
    store: &dyn OrderedStore,
    instance: &InstanceId,
    execution: ExecutionId,
    from: EventId,
    limit: usize,
) -> Result<Vec<StoredEvent>, ProviderError> {
    let from = from.max(EventId::FIRST);
    let mut events = Vec::new();
    // The record that holds `from` may start before it.
    let holder = history_records(store, instance, execution, EventId(0), from, Order::Descending, 1)?;
    let mut next = holder.first().map_or(from, |(first, _)| *first);
    while events.len() < limit {
        let records =
            history_records(store, instance, execution, next, EventId(u64::MAX), Order::Ascending, RECORDS_AT_ONCE)?;
        let is_last = records.len() < RECORDS_AT_ONCE;
        for (first, bodies) in records {
            if first != next {
                let gap = Damage::Missing(u32::try_from(next.0).unwrap_or(u32::MAX));
                return Err(failed("read history", instance, &what(execution, next), gap.into()));
            }
            let ids = (first.0..).map(EventId);
            next = EventId(first.0 + bodies.len() as u64);
            let stored = ids.zip(bodies).filter(|(id, _)| *id >= from).map(|(id, data)| StoredEvent { id, data });
            events.extend(stored);
        }
        if is_last {
            break;
        }
    }
    events.truncate(limit);
    Ok(events)
}

/// Records of a history whose first event lies in `from..=to`: that event, and all of the record.
pub(super) fn history_records(
    store: &dyn OrderedStore,
    instance: &InstanceId,
    execution: ExecutionId,
    from: EventId,
    to: EventId,
    order: Order,
    limit: usize,
) -> Result<Vec<(EventId, Vec<Bytes>)>, ProviderError> {
    let range = keys::history_range(instance, execution, from, to);
    let error = |first, error| failed("read history", instance, &what(execution, first), error);
    let pairs = store.scan(&range.start..&range.end, order, limit).map_err(|cause| error(from, cause.into()))?;
    let unpack = |(key, value): (Bytes, Bytes)| {
        let first = keys::history_first(&key).filter(|first| first.0 > 0);
        let first = first.ok_or_else(|| error(from, Damage::Content.into()))?;
        let place = Place { kind: Kind::History, owner: Some(instance), key: &key };
        let (body, _) = chunks::read(place, value, |key| store.get(key)).map_err(|cause| error(first, cause))?;
        let events = values::decode_events(body).map_err(|damage| error(first, damage.into()))?;
        Ok((first, events))
    };
    pairs.into_iter().map(unpack).collect()
}

fn what(execution: ExecutionId, first: EventId) -> String {
    format!("the record of execution {execution} from event {first} on")
}

/// A message; `None` if it is gone.
pub(super) fn message(
    of: &MessageKey,
    get: impl Fn(&[u8]) -> Result<Option<Bytes>, StoreError>,
) -> Result<Option<MessageValue>, ProviderError> {
    let key = keys::message(of.kind, &of.instance, &of.id);
    let error = |error| failed("read message", &of.instance, &format!("message `{}`", of.id), error);
    let Some(value) = get(&key).map_err(|cause| error(cause.into()))? else { return Ok(None) };
    let place = Place { kind: Kind::Message, owner: Some(&of.instance), key: &key };
    let (body, _) = chunks::read(place, value, get).map_err(error)?;
    MessageValue::decode(body).map(Some).map_err(|damage| error(damage.into()))
}

/// A value of the keys and values of an instance.
pub(super) fn entry(
    store: &dyn OrderedStore,
    instance: &InstanceId,
    name: &str,
) -> Result<Option<Bytes>, ProviderError> {
    let key = keys::entry(instance, name);
    let error = |error| failed("read value", instance, &format!("the value of key `{name}`"), error);
    let Some(value) = store.get(&key).map_err(|cause| error(cause.into()))? else { return Ok(None) };
    let place = Place { kind: Kind::Entry, owner: Some(instance), key: &key };
    Ok(Some(chunks::read(place, value, |key| store.get(key)).map_err(error)?.0))
}

/// A page of those.
pub(super) fn entries(
    store: &dyn OrderedStore,
    instance: &InstanceId,
    page: &KvPageRequest,
) -> Result<KvPage, ProviderError> {
    let range = keys::entries(instance, &page.prefix, page.after.as_deref());
    let error = |error: ReadError| failed("read values", instance, "one of its values", error);
    let pairs = store.scan(&range.start..&range.end, Order::Ascending, page.limit.saturating_add(1));
    let pairs = pairs.map_err(|cause| error(cause.into()))?;
    let has_more = pairs.len() > page.limit;
    let mut found = KvPage::default();
    for (key, _) in pairs.into_iter().take(page.limit) {
        let name = keys::entry_name(instance, &key).ok_or_else(|| error(Damage::Content.into()))?;
        if let Some(value) = entry(store, instance, name)? {
            found.entries.push((name.to_owned(), value));
        }
    }
    found.next = found.entries.last().filter(|_| has_more).map(|(name, _)| name.clone());
    Ok(found)
}

/// Executions that have events, and the newest.
pub(super) fn executions(
    store: &dyn OrderedStore,
    id: &InstanceId,
    from: ExecutionId,
    limit: usize,
) -> Result<Vec<ExecutionInfo>, ProviderError> {
    let Some((record, _)) = instance(id, |key| store.get(key))? else { return Ok(Vec::new()) };
    let (newest, mut next, mut found) = (record.execution_id, from, Vec::new());
    while found.len() < limit && next <= newest {
        let range = keys::executions_from(id, next);
        let error = |error: StoreError| error.during("list executions").instance(id);
        let first = store.scan(&range.start..&range.end, Order::Ascending, 1).map_err(error)?;
        let first = first.first().and_then(|(key, _)| keys::history_ids(key)).map(|(_, execution, _)| execution);
        let execution_id = first.filter(|execution| *execution <= newest).unwrap_or(newest);
        found.push(ExecutionInfo { execution_id, history_len: history_len(store, id, execution_id)? });
        next = execution_id.next();
    }
    Ok(found)
}

fn failed(operation: &'static str, instance: &InstanceId, what: &str, error: ReadError) -> ProviderError {
    match error {
        ReadError::Store(error) => error.during(operation).instance(instance),
        ReadError::Damage(damage) => {
            let message = format!("{what} is damaged: {damage}");
            ProviderError::new(ErrorKind::Corrupt, operation, message).instance(instance).source(damage)
        }
    }
}
