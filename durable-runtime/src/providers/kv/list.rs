//! Lists: of instances by their labels, and of what waits for one.

use std::sync::Arc;

use super::super::labelled::{self, Found, LOOKS_MAX, Listed};
use super::gate::Reach;
use super::index::{Index, MessageKey};
use super::keys::{self, QueueKind};
use super::read;
use super::shared::Shared;
use super::store::{Order, OrderedStore};
use crate::clock::Timestamp;
use crate::ids::InstanceId;
use crate::providers::{
    DamagedInstance, ErrorKind, InstanceMessages, InstancePage, InstanceRecord, LeaseHolder, PageRequest,
    ProviderError, Queue, WaitingMessage,
};

const LIST: &str = "list instances";
/// How many records a page reads before it lets a commit pass.
const RECORDS_AT_ONCE: (usize, usize) = (16, 256);

/// See [`Provider::instances`](crate::providers::Provider::instances).
pub(super) async fn page(shared: &Shared, page: PageRequest) -> Result<InstancePage, ProviderError> {
    let page = Arc::new(page);
    let mut from = Some(page.after.as_ref().map(labelled::after).unwrap_or_default());
    let (mut found, mut damaged, mut passed, mut looks) = (Vec::new(), Vec::new(), None, 0);
    // One more than is wanted tells whether there is another page.
    while found.len() <= page.limit
        && looks < LOOKS_MAX
        && let Some(begin) = from.take()
    {
        let (wanted, (least, most)) = (page.clone(), RECORDS_AT_ONCE);
        let at_once = (page.limit + 1).saturating_sub(found.len()).clamp(least, most);
        let read = move |store: &dyn OrderedStore| some(store, &wanted, begin, at_once);
        let some = shared.read(LIST, Reach::Everything, read).await?;
        found.extend(some.records);
        damaged.extend(some.damaged);
        (from, passed, looks) = (some.from, some.passed, looks + some.looks);
    }
    Ok(labelled::cut(page.limit, found, damaged, passed.filter(|_| from.is_some())))
}

/// What a page wants of some instances.
struct Part {
    records: Vec<InstanceRecord>,
    damaged: Vec<DamagedInstance>,
    /// As in [`Found`].
    from: Option<String>,
    passed: Option<InstanceId>,
    looks: usize,
}

/// What the page wants of the next `at_once` instances.
fn some(store: &dyn OrderedStore, page: &PageRequest, from: String, at_once: usize) -> Result<Part, ProviderError> {
    let (all, from, passed, looks) = if page.indexed().is_empty() {
        let all = read::instances(store, &from, at_once)?;
        let id = |one: &Listed| one.as_ref().map_or_else(|one| &one.instance, |one| &one.instance).clone();
        let passed = all.last().map(id);
        let from = passed.as_ref().filter(|_| all.len() == at_once).map(labelled::after);
        (all, from, passed, 0)
    } else {
        let mut fetch = |name: &str, value: &str, from: &str, limit: usize| list(store, (name, value), from, limit);
        let Found { instances, from, passed, looks } = labelled::find(page, from, at_once, &mut fetch)?;
        // One that was deleted while it was damaged may have left something in the index.
        let read = |id| read::instance(id, |key| store.get(key)).transpose().map(|read| (id, read));
        let read = instances.iter().filter_map(read);
        let all = read.map(|(id, read)| labelled::listed(id, read.map(|(record, _)| record)));
        (all.collect::<Result<_, _>>()?, from, passed, looks)
    };
    let read = all.len();
    let (mut records, mut damaged) = (Vec::new(), Vec::new());
    for one in all {
        match one {
            Ok(record) if page.matches(&record.labels) => records.push(record),
            Ok(_) => {}
            Err(one) => damaged.push(one),
        }
    }
    let looks = looks + read - records.len();
    Ok(Part { records, damaged, from, passed, looks })
}

fn list(
    store: &dyn OrderedStore,
    (name, value): (&str, &str),
    from: &str,
    limit: usize,
) -> Result<Vec<InstanceId>, ProviderError> {
    let range = keys::labelled_from(name, value, from);
    let pairs = store.scan(&range.start..&range.end, Order::Ascending, limit).map_err(|error| error.during(LIST))?;
    let id = |key: &[u8]| {
        let damaged = || ProviderError::new(ErrorKind::Corrupt, LIST, "a key of the index of labels names no instance");
        keys::labelled_id(key).ok_or_else(damaged)
    };
    pairs.iter().map(|(key, _)| id(key)).collect()
}

/// What is known of a message without reading it.
struct Entry {
    key: MessageKey,
    visible_at: Timestamp,
    attempt: u32,
    lease: Option<LeaseHolder>,
}

/// See [`Provider::messages`](crate::providers::Provider::messages).
pub(super) async fn messages(
    shared: &Shared,
    instance: &InstanceId,
    limit: usize,
) -> Result<InstanceMessages, ProviderError> {
    let (mut found, mut entries) = shared.with_index(|index, _| known(index, instance));
    entries.truncate(limit);
    let read = move |store: &dyn OrderedStore| {
        let read = |entry: Entry| {
            let value = read::message(&entry.key, |key| store.get(key));
            (entry, value)
        };
        Ok(entries.into_iter().map(read).collect::<Vec<_>>())
    };
    let read = shared.read("list messages", Reach::Instances(vec![instance.clone()]), read).await?;
    for (Entry { key, visible_at, attempt, lease }, value) in read {
        let queue = match key.kind {
            QueueKind::Turns => Queue::Turns(key.instance),
            QueueKind::Activities => Queue::Activities(key.instance),
        };
        match value {
            Ok(Some(value)) => found.messages.push(WaitingMessage {
                queue,
                id: key.id,
                execution_id: value.execution_id,
                topic: value.topic,
                tag: value.tag,
                session: value.session,
                visible_at,
                attempt,
                lease,
                data: value.data,
            }),
            // It was taken away meanwhile.
            Ok(None) => {}
            Err(error) if error.kind() == ErrorKind::Corrupt => {
                found.parked.get_or_insert_with(|| error.to_string());
            }
            Err(error) => return Err(error),
        }
    }
    Ok(found)
}

fn known(index: &Index, instance: &InstanceId) -> (InstanceMessages, Vec<Entry>) {
    let fence = index.turn_lease(instance);
    let lease = fence.and_then(|fence| index.holder(fence));
    let handed_out = fence.map_or(&[][..], |fence| index.handed_out(fence));
    let entry = |key: MessageKey| {
        let message = index.message(&key)?;
        let (lease, not_before) = match key.kind {
            QueueKind::Turns => (lease.clone().filter(|_| handed_out.contains(&key.id)), index.not_before(instance)),
            QueueKind::Activities => {
                let fence = index.activity_lease(instance, &key.id);
                (fence.and_then(|fence| index.holder(fence)), Timestamp::EPOCH)
            }
        };
        let (visible_at, place) = (message.place.0.max(not_before), message.place);
        Some(((key.kind, place), Entry { visible_at, attempt: message.attempt, lease, key }))
    };
    let mut entries: Vec<_> = index.messages_of(instance).into_iter().filter_map(entry).collect();
    entries.sort_by_key(|(place, _)| *place);
    let parked = index.parked(instance).map(str::to_owned);
    (InstanceMessages { lease, parked, messages: Vec::new() }, entries.into_iter().map(|(_, entry)| entry).collect())
}
