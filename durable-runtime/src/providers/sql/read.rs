//! Reading the tables: each function one kind of record, with errors that name it.

use bytes::Bytes;

use super::seal::Place;
use super::session::{Row, Sql, SqlError};
use crate::clock::Timestamp;
use crate::ids::{EventId, ExecutionId, InstanceId, MessageId};
use crate::providers::record::Kind;
use crate::providers::{InstanceRecord, ProviderError, Stats, StoredEvent};

/// The numbers of the two queues of an instance.
pub(super) const TURNS: u64 = 0;
pub(super) const ACTIVITIES: u64 = 1;

const HEAD: &str = "SELECT execution, revision, seal FROM instances WHERE instance = ?1";
const ANY_PARTITION: &str = "SELECT 1 FROM partitions WHERE instance = ?1 LIMIT 1";
const LENGTH: &str = "SELECT length, seal FROM partitions WHERE instance = ?1 AND execution = ?2";
const EVENTS: &str = "SELECT event, data FROM events WHERE instance = ?1 AND execution = ?2 AND event >= ?3 \
                      ORDER BY event LIMIT ?4";
const METADATA: &str = "SELECT key, value FROM metadata WHERE instance = ?1";
const LABELS: &str = "SELECT name, value, seal FROM labels WHERE instance = ?1";
const MESSAGE: &str = "SELECT queue, id, sequence, visible_at, execution, topic, tag, session FROM messages \
                       WHERE instance = ?1 AND queue = ?2 AND id = ?3";
const STATS: &str = "SELECT (SELECT count(*) FROM instances), \
                     (SELECT count(*) FROM messages WHERE queue = 0), \
                     (SELECT count(*) FROM messages WHERE queue = 1), \
                     (SELECT count(*) FROM leases WHERE activity = '' AND expires > ?1), \
                     (SELECT count(*) FROM leases WHERE activity <> '' AND expires > ?1)";

/// The newest execution of an instance, and how often its record changed.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) struct Head {
    pub(super) execution_id: ExecutionId,
    pub(super) revision: u64,
}

/// A row of `messages`, but for what changes while it waits.
#[derive(Debug, Clone)]
pub(super) struct Message {
    pub(super) queue: u64,
    pub(super) id: MessageId,
    pub(super) sequence: u64,
    pub(super) visible_at: Timestamp,
    pub(super) execution_id: ExecutionId,
    pub(super) topic: String,
    pub(super) tag: Option<String>,
    pub(super) session: Option<String>,
}

impl Message {
    /// From the columns queue, id, sequence, visible_at, execution, topic, tag, session.
    pub(super) fn of(row: &dyn Row) -> Result<Self, SqlError> {
        Ok(Self {
            queue: row.number(0)?,
            id: row.message(1)?,
            sequence: row.number(2)?,
            visible_at: row.moment(3)?,
            execution_id: ExecutionId(row.number(4)?),
            topic: row.text(5)?.to_owned(),
            tag: row.maybe_text(6)?.map(str::to_owned),
            session: row.maybe_text(7)?.map(str::to_owned),
        })
    }

    pub(super) fn place(&self, instance: &InstanceId) -> Place {
        let place = Place::new("messages").text(instance.as_str()).number(self.queue).text(self.id.as_str());
        let place = place.number(self.sequence).number(self.visible_at.as_millis()).number(self.execution_id.0);
        let place = place.text(&self.topic).maybe(self.tag.as_deref());
        match &self.session {
            Some(session) => place.text(session),
            None => place,
        }
    }

    /// What it says, by what is kept as its body.
    pub(super) fn open(
        &self,
        sql: &Sql<'_>,
        instance: &InstanceId,
        body: Option<Bytes>,
    ) -> Result<Bytes, ProviderError> {
        let what = || format!("message `{}`", self.id);
        let body = body.ok_or_else(|| sql.damaged(instance, &what()))?;
        let opened = self.place(instance).open(Kind::Message, instance, body);
        opened.map_err(|damage| sql.damaged(instance, &what()).source(damage))
    }
}

pub(super) fn head_place(instance: &InstanceId, head: Head) -> Place {
    Place::new("instances").text(instance.as_str()).number(head.execution_id.0).number(head.revision)
}

pub(super) fn length_place(instance: &InstanceId, execution: ExecutionId, length: u64) -> Place {
    Place::new("partitions").text(instance.as_str()).number(execution.0).number(length)
}

pub(super) fn event_place(instance: &InstanceId, execution: ExecutionId, event: EventId) -> Place {
    Place::new("events").text(instance.as_str()).number(execution.0).number(event.0)
}

pub(super) fn metadata_place(instance: &InstanceId, key: &str) -> Place {
    Place::new("metadata").text(instance.as_str()).text(key)
}

pub(super) fn label_place(instance: &InstanceId, name: &str, value: &str) -> Place {
    Place::new("labels").text(instance.as_str()).text(name).text(value)
}

pub(super) fn entry_place(instance: &InstanceId, key: &str) -> Place {
    Place::new("entries").text(instance.as_str()).text(key)
}

/// The end of an instance; `None` if it does not exist.
pub(super) fn head(sql: &mut Sql<'_>, instance: &InstanceId) -> Result<Option<Head>, ProviderError> {
    let read = |row: &dyn Row| {
        let head = Head { execution_id: ExecutionId(row.number(0)?), revision: row.number(1)? };
        Ok((head, row.number(2)?))
    };
    match sql.first(HEAD, &[instance.into()], read)? {
        Some((head, seal)) if seal == head_place(instance, head).sum() => Ok(Some(head)),
        Some(_) => Err(sql.damaged(instance, "its record")),
        // No instance has histories without a record.
        None => match sql.first(ANY_PARTITION, &[instance.into()], |_| Ok(()))? {
            Some(()) => Err(sql.damaged(instance, "its record")),
            None => Ok(None),
        },
    }
}

/// How many events an execution has that is there.
pub(super) fn length(sql: &mut Sql<'_>, instance: &InstanceId, execution: ExecutionId) -> Result<u64, ProviderError> {
    let read = |row: &dyn Row| Ok((row.number(0)?, row.number(1)?));
    match sql.first(LENGTH, &[instance.into(), execution.into()], read)? {
        Some((length, seal)) if seal == length_place(instance, execution, length).sum() => Ok(length),
        _ => Err(sql.damaged(instance, &format!("the length of execution {execution}"))),
    }
}

/// The record of an instance.
pub(super) fn instance(sql: &mut Sql<'_>, id: &InstanceId) -> Result<Option<InstanceRecord>, ProviderError> {
    let Some(Head { execution_id, revision }) = head(sql, id)? else { return Ok(None) };
    let read = |row: &dyn Row| Ok((row.text(0)?.to_owned(), row.maybe_bytes(1)?.unwrap_or_default()));
    let sealed = sql.all(METADATA, &[id.into()], read)?;
    let open = |(key, value): (String, Bytes)| {
        let opened = metadata_place(id, &key).open(Kind::Instance, id, value);
        let value = opened.map_err(|damage| sql.damaged(id, "its record").source(damage))?;
        Ok((key, value))
    };
    let metadata = sealed.into_iter().map(open).collect::<Result<_, ProviderError>>()?;
    let read = |row: &dyn Row| Ok((row.text(0)?.to_owned(), row.text(1)?.to_owned(), row.number(2)?));
    let sealed = sql.all(LABELS, &[id.into()], read)?;
    let check = |(name, value, seal): (String, String, u64)| {
        let is_whole = seal == label_place(id, &name, &value).sum();
        if is_whole { Ok((name, value)) } else { Err(sql.damaged(id, "its record")) }
    };
    let labels = sealed.into_iter().map(check).collect::<Result<_, ProviderError>>()?;
    Ok(Some(InstanceRecord { instance: id.clone(), execution_id, revision, metadata, labels }))
}

/// Up to `limit` events from `from` on.
pub(super) fn history(
    sql: &mut Sql<'_>,
    instance: &InstanceId,
    execution: ExecutionId,
    from: EventId,
    limit: usize,
) -> Result<Vec<StoredEvent>, ProviderError> {
    let from = from.max(EventId::FIRST);
    let exists = head(sql, instance)?.is_some_and(|head| (1..=head.execution_id.0).contains(&execution.0));
    if !exists {
        return Ok(Vec::new());
    }
    let length = length(sql, instance, execution)?;
    let read = |row: &dyn Row| Ok((EventId(row.number(0)?), row.maybe_bytes(1)?.unwrap_or_default()));
    let sealed = sql.all(EVENTS, &[instance.into(), execution.into(), from.into(), limit.into()], read)?;
    let damaged = |id| sql.damaged(instance, &format!("event {id} of execution {execution}"));
    let open = |(expected, (id, data)): (u64, (EventId, Bytes))| {
        if id.0 != expected {
            return Err(damaged(EventId(expected)));
        }
        let opened = event_place(instance, execution, id).open(Kind::History, instance, data);
        Ok(StoredEvent { id, data: opened.map_err(|damage| damaged(id).source(damage))? })
    };
    let events = (from.0..).zip(sealed).map(open).collect::<Result<Vec<_>, _>>()?;
    let owed = (length + 1).saturating_sub(from.0).min(u64::try_from(limit).unwrap_or(u64::MAX));
    let is_all = events.len() as u64 == owed;
    if is_all { Ok(events) } else { Err(damaged(EventId(from.0 + events.len() as u64))) }
}

/// A message that waits.
pub(super) fn message(
    sql: &mut Sql<'_>,
    instance: &InstanceId,
    queue: u64,
    id: &MessageId,
) -> Result<Option<Message>, ProviderError> {
    sql.first(MESSAGE, &[instance.into(), queue.into(), id.into()], Message::of)
}

/// How much there is.
pub(super) fn stats(sql: &mut Sql<'_>, now: Timestamp) -> Result<Stats, ProviderError> {
    let read = |row: &dyn Row| {
        Ok(Stats {
            instances: row.number(0)?,
            turn_messages: row.number(1)?,
            activities: row.number(2)?,
            turns_leased: row.number(3)?,
            activities_leased: row.number(4)?,
        })
    };
    Ok(sql.first(STATS, &[now.into()], read)?.unwrap_or_default())
}
