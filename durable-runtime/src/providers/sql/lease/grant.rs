//! Handing out turns and activities. What is damaged is set aside, so that the rest goes on.

use std::time::Duration;

use bytes::Bytes;

use super::super::read::{self, Message};
use super::super::session::{Param, Row, Session, Sql, SqlError};
use super::super::skills;
use super::Ground;
use crate::clock::Timestamp;
use crate::ids::{ExecutionId, InstanceId, LockToken};
use crate::providers::{
    ActivityRequest, ErrorKind, LeasedActivity, LeasedMessage, LeasedTurn, OwnerId, ProviderError, Skills, TurnRequest,
};

const FETCH_TURNS: &str = "fetch turns";
const FETCH_ACTIVITIES: &str = "fetch activities";

const READY: &str = "SELECT instance FROM turns WHERE fence IS NULL AND due <= ?1 ORDER BY due, place LIMIT ?2";
const TURN: &str = "SELECT fence, not_before FROM turns WHERE instance = ?1";
const VISIBLE: &str = "SELECT m.queue, m.id, m.sequence, m.visible_at, m.execution, m.topic, m.tag, m.session, m.attempt, b.data \
                       FROM messages m LEFT JOIN bodies b ON b.sequence = m.sequence \
                       WHERE m.instance = ?1 AND m.queue = 0 AND m.visible_at <= ?2 \
                       ORDER BY m.visible_at, m.sequence";
const COUNT_TURN: &str =
    "UPDATE messages SET attempt = attempt + 1 WHERE instance = ?1 AND queue = 0 AND visible_at <= ?2";
const LEASE: &str = "INSERT INTO leases (fence, instance, activity, execution, granted_at, expires, handle, owner) \
                     VALUES (?1, ?2, ?3, ?4, ?5, ?6, ?7, ?8)";
const TAKE_TURN: &str = "INSERT INTO turns (instance, due, place, not_before, fence) VALUES (?1, NULL, NULL, 0, ?2) \
                         ON CONFLICT (instance) DO UPDATE SET fence = excluded.fence";
const LANE: &str = "SELECT visible_at, sequence, instance, id FROM messages WHERE queue = 1 AND fence IS NULL \
                    AND session IS NULL AND topic = ?1 AND tag IS NULL AND visible_at <= ?2 ORDER BY visible_at, sequence LIMIT ?3";
const TAGGED_LANE: &str = "SELECT visible_at, sequence, instance, id FROM messages WHERE queue = 1 AND fence IS NULL \
                           AND session IS NULL AND topic = ?1 AND tag = ?4 AND visible_at <= ?2 ORDER BY visible_at, sequence LIMIT ?3";
const SESSION_LANE: &str = "SELECT visible_at, sequence, instance, id FROM messages AS m WHERE queue = 1 AND fence IS NULL \
     AND session IS NOT NULL AND topic = ?1 AND tag IS NULL AND visible_at <= ?2 AND NOT EXISTS \
     (SELECT 1 FROM sessions AS s WHERE s.session = m.session AND s.owner <> ?4 AND s.expires > ?2) \
     ORDER BY visible_at, sequence LIMIT ?3";
const TAGGED_SESSION_LANE: &str = "SELECT visible_at, sequence, instance, id FROM messages AS m WHERE queue = 1 AND fence IS NULL \
     AND session IS NOT NULL AND topic = ?1 AND tag = ?5 AND visible_at <= ?2 AND NOT EXISTS \
     (SELECT 1 FROM sessions AS s WHERE s.session = m.session AND s.owner <> ?4 AND s.expires > ?2) \
     ORDER BY visible_at, sequence LIMIT ?3";
const HOLD: &str = "INSERT INTO sessions (session, owner, handle, ttl, expires) VALUES (?1, ?2, ?3, ?4, ?5) \
                    ON CONFLICT (session) DO UPDATE SET owner = excluded.owner, handle = excluded.handle, \
                    ttl = excluded.ttl, expires = CASE WHEN owner = excluded.owner \
                    THEN max(expires, excluded.expires) ELSE excluded.expires END";
const ACTIVITY: &str = "SELECT m.queue, m.id, m.sequence, m.visible_at, m.execution, m.topic, m.tag, m.session, m.attempt, b.data \
                        FROM messages m LEFT JOIN bodies b ON b.sequence = m.sequence \
                        WHERE m.instance = ?1 AND m.queue = 1 AND m.id = ?2";
const TAKE_ACTIVITY: &str =
    "UPDATE messages SET attempt = attempt + 1, fence = ?3 WHERE instance = ?1 AND queue = 1 AND id = ?2";

/// Longer than anything lasts.
const TTL_MS_MAX: u64 = 1 << 53;

/// A message, how often it was handed out, and its body as it is kept.
type Waiting = (Message, u32, Option<Bytes>);

fn waiting(row: &dyn Row) -> Result<Waiting, SqlError> {
    Ok((Message::of(row)?, u32::try_from(row.number(8)?).unwrap_or(u32::MAX), row.maybe_bytes(9)?))
}

/// A lease is put on the table under the next fence.
fn lease(
    sql: &mut Sql<'_>,
    ground: &mut Ground<'_>,
    (instance, activity): (&InstanceId, &str),
    execution_id: ExecutionId,
    (owner, ttl): (&OwnerId, Duration),
) -> Result<LockToken, ProviderError> {
    let fence = ground.counters.next_fence();
    let (granted_at, expires) = (ground.now, ground.now.saturating_add(ttl));
    let params: [Param<'_>; 8] = [
        fence.into(),
        instance.into(),
        activity.into(),
        execution_id.into(),
        granted_at.into(),
        expires.into(),
        ground.handle.into(),
        owner.as_str().into(),
    ];
    sql.execute(LEASE, &params)?;
    Ok(LockToken { instance: instance.clone(), execution_id, granted_at_ms: granted_at.as_millis(), fence })
}

/// What a worker wants.
pub(in super::super) enum Wish<'a> {
    Turns(&'a TurnRequest),
    Activities(&'a ActivityRequest),
}

/// Whether a wish for any turn or activity can be fulfilled: looked at before a transaction is begun for it.
pub(in super::super) fn is_ready(
    session: &mut dyn Session,
    ground: &Ground<'_>,
    wish: Wish<'_>,
) -> Result<bool, ProviderError> {
    Ok(match wish {
        Wish::Turns(want) => {
            let skills = want.skills.as_deref();
            !ready(&mut Sql { session, operation: FETCH_TURNS }, ground, 1, skills)?.is_empty()
        }
        Wish::Activities(want) => {
            !first_activities(&mut Sql { session, operation: FETCH_ACTIVITIES }, ground, want, 1)?.is_empty()
        }
    })
}

/// Leases instances.
pub(in super::super) fn turns(
    session: &mut dyn Session,
    ground: &mut Ground<'_>,
    want: &TurnRequest,
) -> Result<Vec<LeasedTurn>, ProviderError> {
    let mut sql = Sql { session, operation: FETCH_TURNS };
    let instances = match &want.instance {
        Some(instance) => vec![instance.clone()],
        None => ready(&mut sql, ground, want.max, want.skills.as_deref())?,
    };
    let (mut turns, mut failed) = (Vec::new(), None);
    for instance in instances {
        match turn(&mut sql, ground, &instance, want) {
            Ok(turn) => turns.extend(turn),
            Err(error) if error.kind() == ErrorKind::Corrupt => {
                tracing::error!(%instance, %error, "an instance is damaged; it is set aside");
                ground.aside.instances.insert(instance);
                failed = Some(error);
            }
            Err(error) => return Err(error),
        }
    }
    failed.filter(|_| turns.is_empty()).map_or(Ok(turns), Err)
}

/// Up to `max` instances that are ready and need no more than these skills, the longest ready first.
fn ready(
    sql: &mut Sql<'_>,
    ground: &Ground<'_>,
    max: usize,
    skills: Option<&Skills>,
) -> Result<Vec<InstanceId>, ProviderError> {
    let limit = max.saturating_add(ground.aside.instances.len());
    let mut ready = match skills {
        None => sql.all(READY, &[ground.now.into(), limit.into()], |row| row.instance(0))?,
        Some(skills) => skills::ready(sql, skills, limit, ground.now)?,
    };
    ready.retain(|instance| !ground.aside.instances.contains(instance));
    ready.truncate(max);
    Ok(ready)
}

fn turn(
    sql: &mut Sql<'_>,
    ground: &mut Ground<'_>,
    instance: &InstanceId,
    want: &TurnRequest,
) -> Result<Option<LeasedTurn>, ProviderError> {
    let row = sql.first(TURN, &[instance.into()], |row| Ok((row.maybe_number(0)?, row.moment(1)?)))?;
    let (fence, not_before) = row.unwrap_or((None, Timestamp::EPOCH));
    if fence.is_some() {
        return Ok(None);
    }
    let head = read::head(sql, instance)?;
    let execution_id = head.map_or(ExecutionId::FIRST, |head| head.execution_id);
    let history_len = head.map_or(Ok(0), |_| read::length(sql, instance, execution_id))?;
    let (messages, attempt) = if not_before <= ground.now { visible(sql, instance, ground.now)? } else { (vec![], 1) };
    if !messages.is_empty() {
        sql.execute(COUNT_TURN, &[instance.into(), ground.now.into()])?;
    }
    let lock_token = lease(sql, ground, (instance, ""), execution_id, (&want.owner, want.ttl))?;
    sql.execute(TAKE_TURN, &[instance.into(), lock_token.fence.into()])?;
    let is_new_execution = history_len == 0;
    let instance = instance.clone();
    Ok(Some(LeasedTurn { instance, execution_id, is_new_execution, history_len, messages, attempt, lock_token }))
}

/// The messages that can be handed out, and how often that was done with this time.
fn visible(
    sql: &mut Sql<'_>,
    instance: &InstanceId,
    now: Timestamp,
) -> Result<(Vec<LeasedMessage>, u32), ProviderError> {
    let rows = sql.all(VISIBLE, &[instance.into(), now.into()], waiting)?;
    let (mut messages, mut attempt) = (Vec::with_capacity(rows.len()), 1);
    for (message, before, body) in rows {
        let data = message.open(sql, instance, body)?;
        attempt = attempt.max(before.saturating_add(1));
        messages.push(LeasedMessage { id: message.id, visible_at: message.visible_at, data });
    }
    Ok((messages, attempt))
}

/// Leases activities, first in first out.
pub(in super::super) fn activities(
    session: &mut dyn Session,
    ground: &mut Ground<'_>,
    want: &ActivityRequest,
) -> Result<Vec<LeasedActivity>, ProviderError> {
    let mut sql = Sql { session, operation: FETCH_ACTIVITIES };
    let (mut activities, mut failed) = (Vec::new(), None);
    for (instance, id) in first_activities(&mut sql, ground, want, want.max)? {
        let found = sql.first(ACTIVITY, &[(&instance).into(), (&id).into()], waiting)?;
        let Some((message, before, body)) = found else { continue };
        let data = match message.open(&sql, &instance, body) {
            Ok(data) => data,
            Err(error) => {
                tracing::error!(%instance, activity = %id, %error, "an activity is damaged; it is set aside");
                ground.aside.activities.insert((instance, id));
                failed = Some(error);
                continue;
            }
        };
        let holder = (&want.owner, want.ttl);
        let lock_token = lease(&mut sql, ground, (&instance, id.as_str()), message.execution_id, holder)?;
        if let Some(session) = &message.session {
            hold(&mut sql, ground, session, want)?;
        }
        sql.execute(TAKE_ACTIVITY, &[(&instance).into(), (&id).into(), lock_token.fence.into()])?;
        activities.push(LeasedActivity { instance, id, data, attempt: before.saturating_add(1), lock_token });
    }
    failed.filter(|_| activities.is_empty()).map_or(Ok(activities), Err)
}

/// The owner holds a session from now on.
fn hold(sql: &mut Sql<'_>, ground: &Ground<'_>, session: &str, want: &ActivityRequest) -> Result<(), ProviderError> {
    let ttl = want.session_ttl.unwrap_or_default();
    let until = ground.now.saturating_add(ttl.max(want.ttl));
    // Times are added to it in the database, where they must not overflow.
    let ttl = u64::try_from(ttl.as_millis()).unwrap_or(u64::MAX).min(TTL_MS_MAX);
    let owner = want.owner.as_str().into();
    sql.execute(HOLD, &[session.into(), owner, ground.handle.into(), ttl.into(), until.into()])?;
    Ok(())
}

/// The first of each lane that this worker serves, put in order.
fn first_activities(
    sql: &mut Sql<'_>,
    ground: &Ground<'_>,
    want: &ActivityRequest,
    max: usize,
) -> Result<Vec<(InstanceId, crate::ids::MessageId)>, ProviderError> {
    let limit = max.saturating_add(ground.aside.activities.len());
    let read = |row: &dyn Row| Ok(((row.number(0)?, row.number(1)?), (row.instance(2)?, row.message(3)?)));
    let mut found = Vec::new();
    for topic in want.topics.iter() {
        let (topic, now, limit) = (topic.as_str().into(), ground.now.into(), limit.into());
        found.extend(sql.all(LANE, &[topic, now, limit], read)?);
        for tag in want.tags.iter() {
            found.extend(sql.all(TAGGED_LANE, &[topic, now, limit, tag.as_str().into()], read)?);
        }
        if want.session_ttl.is_none() {
            continue;
        }
        let owner = want.owner.as_str().into();
        found.extend(sql.all(SESSION_LANE, &[topic, now, limit, owner], read)?);
        for tag in want.tags.iter() {
            found.extend(sql.all(TAGGED_SESSION_LANE, &[topic, now, limit, owner, tag.as_str().into()], read)?);
        }
    }
    found.sort();
    found.dedup();
    let mut first: Vec<_> = found.into_iter().map(|(_, key)| key).collect();
    first.retain(|key| !ground.aside.activities.contains(key));
    first.truncate(max);
    Ok(first)
}
