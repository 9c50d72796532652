//! Looks through a store: every record is read as whoever needs it would, and what belongs together is compared.

use super::counters::Counters;
use super::list;
use super::read::{self, Message};
use super::session::{Row, Sql, SqlError};
use crate::ids::{EventId, ExecutionId, InstanceId};
use crate::providers::{Checkup, ErrorKind, KvPageRequest, ProviderError};

const AT_ONCE: usize = 256;

const INTEGRITY: &str = "PRAGMA integrity_check(100)";
const INSTANCES: &str = "SELECT instance FROM instances WHERE instance > ?1 ORDER BY instance LIMIT ?2";
/// What stands under an instance without a record. Messages may wait for one that does not exist yet.
const STRAYS: [(&str, &str); 5] = [
    ("histories", "SELECT DISTINCT instance FROM partitions WHERE instance NOT IN (SELECT instance FROM instances)"),
    (
        "events",
        "SELECT DISTINCT instance FROM events AS e WHERE NOT EXISTS (SELECT 1 FROM partitions AS p \
                WHERE p.instance = e.instance AND p.execution = e.execution)",
    ),
    ("metadata", "SELECT DISTINCT instance FROM metadata WHERE instance NOT IN (SELECT instance FROM instances)"),
    ("labels", "SELECT DISTINCT instance FROM labels WHERE instance NOT IN (SELECT instance FROM instances)"),
    ("values", "SELECT DISTINCT instance FROM entries WHERE instance NOT IN (SELECT instance FROM instances)"),
];
const MESSAGES: &str = "SELECT m.queue, m.id, m.sequence, m.visible_at, m.execution, m.topic, m.tag, m.session, \
                        b.data, m.instance FROM messages m LEFT JOIN bodies b ON b.sequence = m.sequence \
                        WHERE m.sequence > ?1 ORDER BY m.sequence LIMIT ?2";

/// See [`Maintain::doctor`](crate::providers::Maintain::doctor). One state of the store, however long it takes.
pub(super) fn check(sql: &mut Sql<'_>) -> Result<Checkup, ProviderError> {
    let mut checkup = Checkup::default();
    for text in sql.all(INTEGRITY, &[], |row| Ok(row.maybe_text(0)?.unwrap_or_default().to_owned()))? {
        if text != "ok" {
            checkup.add(None, "the file", text);
        }
    }
    checkup.records += 1;
    if let Err(error) = Counters::read(sql.session) {
        checkup.add(None, "record of the store", error);
    }
    let mut after = String::new();
    loop {
        let ids = sql.all(INSTANCES, &[after.as_str().into(), AT_ONCE.into()], |row| row.instance(0))?;
        let Some(last) = ids.last() else { break };
        after = last.to_string();
        for id in &ids {
            look_at(sql, id, &mut checkup)?;
        }
    }
    for (what, statement) in STRAYS {
        for id in sql.all(statement, &[], |row| row.instance(0))? {
            checkup.add(Some(&id), "its record", format!("it is missing, and there are {what}"));
        }
    }
    match look_at_messages(sql, &mut checkup) {
        Err(error) if error.kind() == ErrorKind::Corrupt => checkup.add(None, "the messages", error),
        looked => looked?,
    }
    Ok(checkup)
}

/// What cannot be read because it is damaged is noted.
fn judge<T>(
    checkup: &mut Checkup,
    (instance, record): (&InstanceId, &str),
    read: Result<T, ProviderError>,
) -> Result<Option<T>, ProviderError> {
    checkup.records += 1;
    match read {
        Ok(found) => Ok(Some(found)),
        Err(error) if error.kind() == ErrorKind::Corrupt => {
            checkup.add(Some(instance), record, error);
            Ok(None)
        }
        Err(error) => Err(error),
    }
}

fn look_at(sql: &mut Sql<'_>, id: &InstanceId, checkup: &mut Checkup) -> Result<(), ProviderError> {
    judge(checkup, (id, "its record"), read::instance(sql, id))?;
    let executions = list::executions(sql, id, ExecutionId::FIRST, usize::MAX);
    for info in judge(checkup, (id, "its executions"), executions)?.unwrap_or_default() {
        let (execution, mut from) = (info.execution_id, EventId::FIRST);
        while from.0 <= info.history_len {
            let what = format!("history of execution {execution} from event {from} on");
            let events = judge(checkup, (id, &what), read::history(sql, id, execution, from, AT_ONCE))?;
            let Some(events) = events.filter(|events| !events.is_empty()) else { break };
            from = EventId(from.0 + events.len() as u64);
        }
    }
    let mut after = None;
    loop {
        let page = KvPageRequest { prefix: String::new(), after, limit: AT_ONCE };
        let page = judge(checkup, (id, "its values"), list::entries(sql, id, &page))?;
        after = page.and_then(|page| page.next);
        if after.is_none() {
            return Ok(());
        }
    }
}

fn look_at_messages(sql: &mut Sql<'_>, checkup: &mut Checkup) -> Result<(), ProviderError> {
    let mut after = 0;
    loop {
        let read =
            |row: &dyn Row| -> Result<_, SqlError> { Ok((Message::of(row)?, row.maybe_bytes(8)?, row.instance(9)?)) };
        let rows = sql.all(MESSAGES, &[after.into(), AT_ONCE.into()], read)?;
        let Some((last, ..)) = rows.last() else { return Ok(()) };
        after = last.sequence;
        for (message, body, instance) in rows {
            let opened = message.open(sql, &instance, body);
            judge(checkup, (&instance, &format!("message `{}`", message.id)), opened)?;
        }
    }
}
