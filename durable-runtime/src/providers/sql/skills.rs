//! Which turns a worker may take.

use serde::Serialize;

use super::session::{Param, Row, Sql};
use crate::clock::Timestamp;
use crate::ids::InstanceId;
use crate::providers::{PassedOver, ProviderError, Skills};

/// Whether the skills of a worker are enough for the instance `t`. `?1` is now, `?3` the label that says what is needed, `?4`
/// what the worker can do and `?5` what it leaves alone, lists as JSON; unless there is a message of the topic `?6`.
macro_rules! suffice {
    () => {
        "CASE WHEN t.instance IN (SELECT value FROM json_each(?5)) THEN \
             EXISTS (SELECT 1 FROM messages AS m WHERE m.instance = t.instance AND m.queue = 0 AND m.visible_at <= ?1 \
                 AND m.topic = ?6) \
         ELSE \
             EXISTS (SELECT 1 FROM labels AS l WHERE l.instance = t.instance AND l.name = ?3 \
                 AND l.value IN (SELECT value FROM json_each(?4))) \
             OR EXISTS (SELECT 1 FROM messages AS m WHERE m.instance = t.instance AND m.queue = 0 AND m.visible_at <= ?1 \
                 AND m.topic IN (SELECT value FROM json_each(?4))) \
             OR (NOT EXISTS (SELECT 1 FROM labels AS l WHERE l.instance = t.instance AND l.name = ?3) \
                 AND NOT EXISTS (SELECT 1 FROM messages AS m WHERE m.instance = t.instance AND m.queue = 0 \
                     AND m.visible_at <= ?1 AND m.topic <> '')) \
         END"
    };
}

const READY: &str = concat!(
    "SELECT instance FROM turns AS t WHERE fence IS NULL AND due <= ?1 AND ",
    suffice!(),
    " ORDER BY due, place LIMIT ?2"
);
const PASSED_OVER: &str = concat!(
    "SELECT instance, due FROM turns AS t WHERE fence IS NULL AND due <= ?1 AND NOT ",
    suffice!(),
    " ORDER BY due, place LIMIT ?2"
);

/// Instances that are ready and that these skills are enough for, the longest ready first.
pub(super) fn ready(
    sql: &mut Sql<'_>,
    skills: &Skills,
    limit: usize,
    now: Timestamp,
) -> Result<Vec<InstanceId>, ProviderError> {
    with_params(skills, limit, now, |params| sql.all(READY, params, |row| row.instance(0)))
}

/// Instances that are ready and that these skills are not enough for.
pub(super) fn passed_over(
    sql: &mut Sql<'_>,
    skills: &Skills,
    limit: usize,
    now: Timestamp,
) -> Result<Vec<PassedOver>, ProviderError> {
    let read =
        |row: &dyn Row| Ok(PassedOver { instance: row.instance(0)?, waited: now.saturating_since(row.moment(1)?) });
    with_params(skills, limit, now, |params| sql.all(PASSED_OVER, params, read))
}

fn with_params<T>(skills: &Skills, limit: usize, now: Timestamp, run: impl FnOnce(&[Param<'_>; 6]) -> T) -> T {
    let (values, left_alone) = (list(skills.values()), list(skills.left_alone()));
    run(&[
        now.into(),
        limit.into(),
        skills.label().into(),
        values.as_str().into(),
        left_alone.as_str().into(),
        skills.unless().into(),
    ])
}

/// Texts as a list in JSON.
fn list(texts: &impl Serialize) -> String {
    serde_json::to_string(texts).unwrap_or_default()
}
