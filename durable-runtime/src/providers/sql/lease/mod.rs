//! Leases: who has what until when. They stand in a table, so that all processes see the same ones.
//!
//! A lease on an instance has the activity ``; the row of `turns` and that of an activity name the fence that is out on
//! them. A lease need not survive a power cut, after which nobody is left to hold it.

mod grant;

use std::collections::BTreeSet;
use std::time::Duration;

pub(super) use self::grant::{Wish, activities, is_ready, turns};
use super::counters::Counters;
use super::session::{Row, Session, Sql};
use crate::clock::Timestamp;
use crate::ids::{InstanceId, LockToken, MessageId};
use crate::providers::{ProviderError, Renewal};

const FIND: &str = "SELECT activity FROM leases WHERE fence = ?1 AND instance = ?2 AND execution = ?3 \
                    AND granted_at = ?4 AND expires > ?5";
const RENEW: &str = "UPDATE leases SET expires = ?6 WHERE fence = ?1 AND instance = ?2 AND execution = ?3 \
                     AND granted_at = ?4 AND expires > ?5";
const FORGET: &str = "DELETE FROM leases WHERE fence = ?1";
const FREE_TURN: &str = "UPDATE turns SET fence = NULL, not_before = ?3 WHERE instance = ?1 AND fence = ?2";
const RELEASE_TURN: &str = "INSERT INTO turns (instance, due, place, not_before, fence) VALUES (?1, NULL, NULL, ?2, NULL) \
                            ON CONFLICT (instance) DO UPDATE SET fence = NULL, not_before = excluded.not_before";
const FREE_ACTIVITY: &str = "UPDATE messages SET fence = NULL WHERE instance = ?1 AND queue = 1 AND id = ?2";
const EXPIRED: &str = "SELECT fence, instance, activity FROM leases WHERE expires <= ?1";
const ANY_EXPIRED: &str = "SELECT 1 FROM leases WHERE expires <= ?1 \
                           UNION ALL SELECT 1 FROM sessions WHERE expires <= ?1 LIMIT 1";
const OF_HANDLE: &str = "SELECT fence, instance, activity FROM leases WHERE handle = ?1";
const EXPIRED_SESSIONS: &str = "DELETE FROM sessions WHERE expires <= ?1";
const SESSIONS_OF_HANDLE: &str = "DELETE FROM sessions WHERE handle = ?1";
const RENEW_SESSION: &str = "UPDATE sessions SET expires = max(expires, ?3, ?4 + ttl) WHERE session = \
    (SELECT m.session FROM messages m JOIN leases l ON l.instance = m.instance AND l.activity = m.id \
    WHERE l.fence = ?1 AND m.instance = ?2 AND m.queue = 1)";
const OF_FENCE: &str = "SELECT fence, instance, activity FROM leases WHERE fence = ?1";
const NOT_BEFORE: &str = "SELECT not_before FROM turns WHERE instance = ?1";
const GRANTED: &str = "SELECT granted_at FROM leases WHERE fence = ?1";
/// What was held back when the lease was granted did not come with it.
const UNCOUNT_TURN: &str = "UPDATE messages SET attempt = attempt - 1 WHERE instance = ?1 AND queue = 0 AND attempt > 0 \
                            AND visible_at <= ?2 \
                            AND coalesce((SELECT not_before FROM turns WHERE instance = ?1), 0) <= ?2";
const UNCOUNT_ACTIVITY: &str =
    "UPDATE messages SET attempt = attempt - 1 WHERE instance = ?1 AND queue = 1 AND id = ?2 AND attempt > 0";
const FIRST_MESSAGE: &str = "SELECT visible_at, sequence FROM messages WHERE instance = ?1 AND queue = 0 \
                             ORDER BY visible_at, sequence LIMIT 1";
const WAITS: &str = "INSERT INTO turns (instance, due, place, not_before, fence) VALUES (?1, ?2, ?3, 0, NULL) \
                     ON CONFLICT (instance) DO UPDATE SET place = excluded.place, \
                     due = CASE WHEN turns.not_before > excluded.due THEN turns.not_before ELSE excluded.due END";
const IS_DONE: &str = "DELETE FROM turns WHERE instance = ?1 AND fence IS NULL";
const WAITS_NOT: &str = "UPDATE turns SET due = NULL, place = NULL WHERE instance = ?1";
const NEXT: [&str; 4] = [
    "SELECT due FROM turns WHERE fence IS NULL AND due > ?1 ORDER BY due LIMIT 1",
    "SELECT visible_at FROM messages WHERE queue = 1 AND fence IS NULL AND visible_at > ?1 ORDER BY visible_at LIMIT 1",
    "SELECT expires FROM leases WHERE expires > ?1 ORDER BY expires LIMIT 1",
    "SELECT expires FROM sessions WHERE expires > ?1 ORDER BY expires LIMIT 1",
];

/// What grants go by.
pub(super) struct Ground<'a> {
    pub(super) counters: &'a mut Counters,
    pub(super) now: Timestamp,
    /// This opening of the store.
    pub(super) handle: u64,
    pub(super) aside: &'a mut Aside,
}

/// What is damaged and handed to nobody.
#[derive(Debug, Default)]
pub(super) struct Aside {
    pub(super) instances: BTreeSet<InstanceId>,
    pub(super) activities: BTreeSet<(InstanceId, MessageId)>,
}

impl Aside {
    /// The instance was deleted, and what was damaged with it.
    pub(super) fn forgive(&mut self, instance: &InstanceId) {
        self.instances.remove(instance);
        self.activities.retain(|(of, _)| of != instance);
    }
}

/// What a lease is on: an activity, or the instance itself.
#[derive(Debug, PartialEq, Eq)]
pub(super) struct Lease {
    pub(super) activity: Option<MessageId>,
}

impl Lease {
    fn of(text: &str) -> Self {
        Self { activity: MessageId::new(text).ok() }
    }
}

/// The lease of this very token, if it is still out.
pub(super) fn find(sql: &mut Sql<'_>, token: &LockToken, now: Timestamp) -> Result<Option<Lease>, ProviderError> {
    let LockToken { instance, execution_id, granted_at_ms, fence } = token;
    let params = [(*fence).into(), instance.into(), (*execution_id).into(), (*granted_at_ms).into(), now.into()];
    sql.first(FIND, &params, |row| Ok(Lease::of(row.text(0)?)))
}

/// Makes a lease last until `ttl` from now.
fn renew(sql: &mut Sql<'_>, token: &LockToken, ttl: Duration, now: Timestamp) -> Result<Renewal, ProviderError> {
    let until = now.saturating_add(ttl);
    let LockToken { instance, execution_id, granted_at_ms, fence } = token;
    let which = [(*fence).into(), instance.into(), (*execution_id).into(), (*granted_at_ms).into()];
    let [fence, instance, execution, granted_at] = which;
    let renewed = sql.execute(RENEW, &[fence, instance, execution, granted_at, now.into(), until.into()])?;
    if renewed == 0 {
        return Ok(Renewal::Lost);
    }
    sql.execute(RENEW_SESSION, &[fence, instance, until.into(), now.into()])?;
    Ok(Renewal::Until(until))
}

/// Answers for each token in the order given.
pub(super) fn renew_all(
    session: &mut dyn Session,
    tokens: &[LockToken],
    ttl: Duration,
    now: Timestamp,
) -> Result<Vec<Renewal>, ProviderError> {
    let mut sql = Sql { session, operation: "renew" };
    tokens.iter().map(|token| renew(&mut sql, token, ttl, now)).collect()
}

/// Takes a lease off the table. What it was on is the caller's business.
pub(super) fn forget(sql: &mut Sql<'_>, fence: u64) -> Result<bool, ProviderError> {
    Ok(sql.execute(FORGET, &[fence.into()])? > 0)
}

/// Ends a lease on an instance; messages that stay are not handed out before `not_before`. To be settled afterwards.
pub(super) fn end_turn(
    sql: &mut Sql<'_>,
    instance: &InstanceId,
    fence: u64,
    not_before: Timestamp,
) -> Result<(), ProviderError> {
    forget(sql, fence)?;
    sql.execute(FREE_TURN, &[instance.into(), fence.into(), not_before.into()])?;
    Ok(())
}

/// As [`end_turn`], for the lease under which a transaction writes: it may have ended it before, or deleted the instance,
/// and what the queue holds in the end is held back all the same.
pub(super) fn release(
    sql: &mut Sql<'_>,
    instance: &InstanceId,
    fence: u64,
    not_before: Timestamp,
) -> Result<(), ProviderError> {
    forget(sql, fence)?;
    sql.execute(RELEASE_TURN, &[instance.into(), not_before.into()])?;
    Ok(())
}

/// Ends a lease on an activity.
pub(super) fn free_activity(
    sql: &mut Sql<'_>,
    instance: &InstanceId,
    id: &MessageId,
    fence: u64,
) -> Result<(), ProviderError> {
    forget(sql, fence)?;
    sql.execute(FREE_ACTIVITY, &[instance.into(), id.into()])?;
    Ok(())
}

/// What was handed out under the lease that was granted then does not count as an attempt.
pub(super) fn uncount_turn(
    sql: &mut Sql<'_>,
    instance: &InstanceId,
    granted_at: Timestamp,
) -> Result<(), ProviderError> {
    sql.execute(UNCOUNT_TURN, &[instance.into(), granted_at.into()])?;
    Ok(())
}

/// Likewise for an activity.
pub(super) fn uncount_activity(sql: &mut Sql<'_>, instance: &InstanceId, id: &MessageId) -> Result<(), ProviderError> {
    sql.execute(UNCOUNT_ACTIVITY, &[instance.into(), id.into()])?;
    Ok(())
}

/// Brings the row of an instance in `turns` in step with its queue: what is first there says when it is due.
pub(super) fn settle(sql: &mut Sql<'_>, instance: &InstanceId) -> Result<(), ProviderError> {
    let first = sql.first(FIRST_MESSAGE, &[instance.into()], |row| Ok((row.number(0)?, row.number(1)?)))?;
    match first {
        Some((due, place)) => sql.execute(WAITS, &[instance.into(), due.into(), place.into()])?,
        None if sql.execute(IS_DONE, &[instance.into()])? == 0 => sql.execute(WAITS_NOT, &[instance.into()])?,
        None => 0,
    };
    Ok(())
}

/// Ends what has expired; answers whether anything did.
pub(super) fn expire(session: &mut dyn Session, now: Timestamp) -> Result<bool, ProviderError> {
    let mut sql = Sql { session, operation: "end leases" };
    let freed = sql.execute(EXPIRED_SESSIONS, &[now.into()])? > 0;
    Ok(end_all(&mut sql, EXPIRED, now.as_millis())? || freed)
}

/// Whether there is anything for [`expire`].
pub(super) fn has_expired(session: &mut dyn Session, now: Timestamp) -> Result<bool, ProviderError> {
    let mut sql = Sql { session, operation: "end leases" };
    Ok(sql.first(ANY_EXPIRED, &[now.into()], |_| Ok(()))?.is_some())
}

/// Ends all leases of an opening that is gone.
pub(super) fn end_handle(session: &mut dyn Session, handle: u64) -> Result<bool, ProviderError> {
    let mut sql = Sql { session, operation: "end leases" };
    let freed = sql.execute(SESSIONS_OF_HANDLE, &[handle.into()])? > 0;
    Ok(end_all(&mut sql, OF_HANDLE, handle)? || freed)
}

/// Takes leases back that nobody got to see.
pub(super) fn revoke(session: &mut dyn Session, fences: &[u64]) -> Result<(), ProviderError> {
    let mut sql = Sql { session, operation: "take leases back" };
    for fence in fences {
        for (fence, instance, lease) in those(&mut sql, OF_FENCE, *fence)? {
            match &lease.activity {
                None => {
                    if let Some(granted_at) = sql.first(GRANTED, &[fence.into()], |row| row.moment(0))? {
                        uncount_turn(&mut sql, &instance, granted_at)?;
                    }
                    // As if it had never been granted: what was held back stays so.
                    let not_before = sql.first(NOT_BEFORE, &[(&instance).into()], |row| row.moment(0))?;
                    end_turn(&mut sql, &instance, fence, not_before.unwrap_or(Timestamp::EPOCH))?;
                    settle(&mut sql, &instance)?;
                }
                Some(id) => {
                    uncount_activity(&mut sql, &instance, id)?;
                    free_activity(&mut sql, &instance, id, fence)?;
                }
            }
        }
    }
    Ok(())
}

fn those(sql: &mut Sql<'_>, which: &'static str, of: u64) -> Result<Vec<(u64, InstanceId, Lease)>, ProviderError> {
    sql.all(which, &[of.into()], |row| Ok((row.number(0)?, row.instance(1)?, Lease::of(row.text(2)?))))
}

fn end_all(sql: &mut Sql<'_>, which: &'static str, of: u64) -> Result<bool, ProviderError> {
    let ended = those(sql, which, of)?;
    for (fence, instance, lease) in &ended {
        match &lease.activity {
            None => {
                end_turn(sql, instance, *fence, Timestamp::EPOCH)?;
                settle(sql, instance)?;
            }
            Some(id) => free_activity(sql, instance, id, *fence)?,
        }
    }
    Ok(!ended.is_empty())
}

/// When something changes by time alone: the next message comes due or the next lease expires after `now`.
pub(super) fn next_change(session: &mut dyn Session, now: Timestamp) -> Result<Option<Timestamp>, ProviderError> {
    let mut sql = Sql { session, operation: "look ahead" };
    let mut next: Option<Timestamp> = None;
    for statement in NEXT {
        let found = sql.first(statement, &[now.into()], |row: &dyn Row| row.moment(0))?;
        next = next.into_iter().chain(found).min();
    }
    Ok(next)
}
