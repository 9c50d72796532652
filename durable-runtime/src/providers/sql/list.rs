//! Lists: of instances by their labels, of executions, of keys and values, and of what waits.

use bytes::Bytes;

use super::read::{self, ACTIVITIES, Head, Message, TURNS};
use super::session::{Row, Sql, SqlError};
use crate::clock::Timestamp;
use crate::ids::{ExecutionId, InstanceId, LockToken};
use crate::providers::labelled::{self, Found, LOOKS_MAX};
use crate::providers::record::Kind;
use crate::providers::{
    ErrorKind, ExecutionInfo, InstanceMessages, InstancePage, KvPage, KvPageRequest, LeaseHolder, OwnerId, PageRequest,
    ProviderError, Queue, WaitingMessage,
};

/// How many instances are looked at together when a list is filtered.
const INSTANCES_AT_ONCE: (usize, usize) = (16, 256);

const PAGE: &str = "SELECT instance FROM instances WHERE instance >= ?1 ORDER BY instance LIMIT ?2";
const LABELLED: &str = "SELECT instance FROM labels WHERE name = ?1 AND value = ?2 AND instance >= ?3 \
                        ORDER BY instance LIMIT ?4";
const EXECUTIONS: &str = "SELECT execution, length, seal FROM partitions WHERE instance = ?1 AND execution >= ?2 \
                          AND (length > 0 OR execution = ?3) ORDER BY execution LIMIT ?4";
const ENTRY: &str = "SELECT value FROM entries WHERE instance = ?1 AND key = ?2";
const ENTRIES: &str = "SELECT key, value FROM entries WHERE instance = ?1 AND key >= ?2 AND (?3 IS NULL OR key > ?3) \
                       ORDER BY key LIMIT ?4";
const WAITING: &str = "SELECT m.queue, m.id, m.sequence, m.visible_at, m.execution, m.topic, m.tag, m.session, \
                       m.attempt, b.data FROM messages m LEFT JOIN bodies b ON b.sequence = m.sequence \
                       WHERE m.instance = ?1 ORDER BY m.queue, m.visible_at, m.sequence LIMIT ?2";
const HOLDER: &str = "SELECT fence, execution, granted_at, expires, owner FROM leases \
                      WHERE instance = ?1 AND activity = ?2 AND expires > ?3";
const NOT_BEFORE: &str = "SELECT not_before FROM turns WHERE instance = ?1";

/// A page of instances.
pub(super) fn instances(sql: &mut Sql<'_>, page: &PageRequest) -> Result<InstancePage, ProviderError> {
    let mut from = Some(page.after.as_ref().map(labelled::after).unwrap_or_default());
    let (mut found, mut damaged, mut passed, mut looks) = (Vec::new(), Vec::new(), None, 0);
    let (least, most) = INSTANCES_AT_ONCE;
    // One more than is wanted tells whether there is another page.
    while found.len() <= page.limit
        && looks < LOOKS_MAX
        && let Some(begin) = from.take()
    {
        let at_once = (page.limit + 1).saturating_sub(found.len()).clamp(least, most);
        let some = some_instances(sql, page, begin, at_once)?;
        (from, passed, looks) = (some.from, some.passed, looks + some.looks);
        for id in some.instances {
            let read = read::instance(sql, &id);
            let read = read.and_then(|found| found.ok_or_else(|| sql.damaged(&id, "its record")));
            match labelled::listed(&id, read)? {
                Ok(record) if page.matches(&record.labels) => found.push(record),
                Ok(_) => looks += 1,
                Err(one) => {
                    looks += 1;
                    damaged.push(one);
                }
            }
        }
    }
    Ok(labelled::cut(page.limit, found, damaged, passed.filter(|_| from.is_some())))
}

fn some_instances(sql: &mut Sql<'_>, page: &PageRequest, from: String, limit: usize) -> Result<Found, ProviderError> {
    if page.indexed().is_empty() {
        let instances = sql.all(PAGE, &[from.as_str().into(), limit.into()], |row| row.instance(0))?;
        let passed = instances.last().cloned();
        let from = passed.as_ref().filter(|_| instances.len() == limit).map(labelled::after);
        return Ok(Found { instances, from, passed, looks: 0 });
    }
    let mut fetch = |name: &str, value: &str, from: &str, limit: usize| {
        sql.all(LABELLED, &[name.into(), value.into(), from.into(), limit.into()], |row| row.instance(0))
    };
    labelled::find(page, from, limit, &mut fetch)
}

/// Executions that have events, and the newest.
pub(super) fn executions(
    sql: &mut Sql<'_>,
    instance: &InstanceId,
    from: ExecutionId,
    limit: usize,
) -> Result<Vec<ExecutionInfo>, ProviderError> {
    let Some(Head { execution_id: newest, .. }) = read::head(sql, instance)? else { return Ok(Vec::new()) };
    let read = |row: &dyn Row| {
        let (execution_id, history_len) = (ExecutionId(row.number(0)?), row.number(1)?);
        Ok((ExecutionInfo { execution_id, history_len }, row.number(2)?))
    };
    let rows = sql.all(EXECUTIONS, &[instance.into(), from.into(), newest.into(), limit.into()], read)?;
    let check = |(info, seal): (ExecutionInfo, u64)| {
        let is_whole = seal == read::length_place(instance, info.execution_id, info.history_len).sum();
        let what = || format!("the length of execution {}", info.execution_id);
        if is_whole { Ok(info) } else { Err(sql.damaged(instance, &what())) }
    };
    rows.into_iter().map(check).collect()
}

/// A value of the keys and values of an instance.
pub(super) fn entry(sql: &mut Sql<'_>, instance: &InstanceId, key: &str) -> Result<Option<Bytes>, ProviderError> {
    let read = |row: &dyn Row| Ok(row.maybe_bytes(0)?.unwrap_or_default());
    let sealed = sql.first(ENTRY, &[instance.into(), key.into()], read)?;
    sealed.map(|value| open_entry(sql, instance, key, value)).transpose()
}

/// A page of those.
pub(super) fn entries(sql: &mut Sql<'_>, instance: &InstanceId, page: &KvPageRequest) -> Result<KvPage, ProviderError> {
    let limit = page.limit.saturating_add(1);
    let params = [instance.into(), page.prefix.as_str().into(), page.after.as_deref().into(), limit.into()];
    let read = |row: &dyn Row| Ok((row.text(0)?.to_owned(), row.maybe_bytes(1)?.unwrap_or_default()));
    let mut rows = sql.all(ENTRIES, &params, read)?;
    // Those that begin so come first, since no other key stands between them.
    let end = rows.iter().position(|(key, _)| !key.starts_with(&page.prefix));
    rows.truncate(end.unwrap_or(rows.len()));
    let has_more = rows.len() > page.limit;
    rows.truncate(page.limit);
    let open = |(key, value): (String, Bytes)| {
        let value = open_entry(sql, instance, &key, value)?;
        Ok((key, value))
    };
    let entries = rows.into_iter().map(open).collect::<Result<Vec<_>, ProviderError>>()?;
    let next = entries.last().filter(|_| has_more).map(|(key, _)| key.clone());
    Ok(KvPage { entries, next })
}

fn open_entry(sql: &Sql<'_>, instance: &InstanceId, key: &str, value: Bytes) -> Result<Bytes, ProviderError> {
    let opened = read::entry_place(instance, key).open(Kind::Entry, instance, value);
    opened.map_err(|damage| sql.damaged(instance, &format!("the value of key `{key}`")).source(damage))
}

/// What waits for an instance, and who has it.
pub(super) fn messages(
    sql: &mut Sql<'_>,
    instance: &InstanceId,
    limit: usize,
    now: Timestamp,
) -> Result<InstanceMessages, ProviderError> {
    let lease = holder(sql, instance, "", now)?;
    let not_before = sql.first(NOT_BEFORE, &[instance.into()], |row| row.moment(0))?.unwrap_or(Timestamp::EPOCH);
    let mut found = InstanceMessages { lease, ..InstanceMessages::default() };
    found.parked = read::head(sql, instance).err().map(|error| error.to_string());
    let read = |row: &dyn Row| {
        let attempt = u32::try_from(row.number(8)?).unwrap_or(u32::MAX);
        Ok((Message::of(row)?, attempt, row.maybe_bytes(9)?))
    };
    for (message, attempt, body) in sql.all(WAITING, &[instance.into(), limit.into()], read)? {
        let data = match message.open(sql, instance, body) {
            Ok(data) => data,
            Err(error) if error.kind() == ErrorKind::Corrupt => {
                found.parked.get_or_insert_with(|| error.to_string());
                continue;
            }
            Err(error) => return Err(error),
        };
        let (queue, visible_at, lease) = if message.queue == TURNS {
            let granted = |lease: &&LeaseHolder| lease.lock_token.granted_at_ms >= message.visible_at.as_millis();
            let lease = found.lease.as_ref().filter(granted).filter(|_| attempt > 0).cloned();
            (Queue::Turns(instance.clone()), message.visible_at.max(not_before), lease)
        } else {
            debug_assert_eq!(message.queue, ACTIVITIES);
            let lease = holder(sql, instance, message.id.as_str(), now)?;
            (Queue::Activities(instance.clone()), message.visible_at, lease)
        };
        let Message { id, execution_id, topic, tag, session, .. } = message;
        let waiting = WaitingMessage { queue, id, execution_id, topic, tag, session, visible_at, attempt, lease, data };
        found.messages.push(waiting);
    }
    Ok(found)
}

fn holder(
    sql: &mut Sql<'_>,
    instance: &InstanceId,
    activity: &str,
    now: Timestamp,
) -> Result<Option<LeaseHolder>, ProviderError> {
    let read = |row: &dyn Row| -> Result<LeaseHolder, SqlError> {
        let (fence, execution_id, granted_at_ms) = (row.number(0)?, ExecutionId(row.number(1)?), row.number(2)?);
        let lock_token = LockToken { instance: instance.clone(), execution_id, granted_at_ms, fence };
        Ok(LeaseHolder { owner: OwnerId::new(row.text(4)?), until: row.moment(3)?, lock_token })
    };
    sql.first(HOLDER, &[instance.into(), activity.into(), now.into()], read)
}
