//! Executions and their histories.

use bytes::Bytes;

use super::super::read::{self, Head};
use super::{Write, invalid};
use crate::clock::Timestamp;
use crate::ids::{EventId, ExecutionId, InstanceId};
use crate::providers::CommitError;
use crate::providers::record::Kind;

const OPEN: &str = "INSERT INTO partitions (instance, execution, length, seal) VALUES (?1, ?2, 0, ?3)";
const GROW: &str = "UPDATE partitions SET length = ?3, seal = ?4 WHERE instance = ?1 AND execution = ?2";
const APPEND: &str = "INSERT INTO events (instance, execution, event, data) VALUES (?1, ?2, ?3, ?4)";
const TAKE_EVENTS: &str = "DELETE FROM events WHERE instance = ?1 AND execution = ?2";
const OLDER_LEASE: &str = "SELECT fence FROM leases WHERE instance = ?1 AND activity = '' AND execution < ?2";

impl Write<'_> {
    pub(super) fn create_execution(
        &mut self,
        instance: &InstanceId,
        execution_id: ExecutionId,
    ) -> Result<(), CommitError> {
        let newest = self.head(instance)?.map_or(ExecutionId(0), |head| head.execution_id);
        if execution_id != newest.next() {
            return Err(CommitError::ExecutionExists { instance: instance.clone(), newest });
        }
        let mut head = if newest.0 == 0 { Head { execution_id, revision: 1 } } else { self.record(instance)? };
        head.execution_id = execution_id;
        self.records.insert(instance.clone(), head);
        let seal = read::length_place(instance, execution_id, 0).sum();
        self.sql.execute(OPEN, &[instance.into(), execution_id.into(), seal.into()])?;
        // A lease belongs to one execution: when a newer one is opened, it ends.
        let outlived = self.sql.first(OLDER_LEASE, &[instance.into(), execution_id.into()], |row| row.number(0))?;
        outlived.map_or(Ok(()), |fence| self.end_turn(instance, fence, Timestamp::EPOCH))
    }

    pub(super) fn append_history(
        &mut self,
        instance: &InstanceId,
        execution_id: ExecutionId,
        first: EventId,
        events: &[Bytes],
    ) -> Result<(), CommitError> {
        let head = self.head(instance)?.ok_or_else(|| CommitError::NoInstance(instance.clone()))?;
        if execution_id > head.execution_id || execution_id < ExecutionId::FIRST {
            let message = format!("there is no execution {execution_id}, the newest is {}", head.execution_id);
            return Err(invalid(instance, message));
        }
        let kept = read::length(&mut self.sql, instance, execution_id)?;
        let expected = EventId(kept + 1);
        if first != expected {
            let instance = instance.clone();
            return Err(CommitError::HistoryConflict { instance, execution_id, expected, given: first });
        }
        for (event, data) in (first.0..).map(EventId).zip(events) {
            let sealed = read::event_place(instance, execution_id, event).seal(Kind::History, instance, data);
            let params = [instance.into(), execution_id.into(), event.into(), sealed.as_slice().into()];
            self.sql.execute(APPEND, &params)?;
        }
        let length = kept + events.len() as u64;
        let seal = read::length_place(instance, execution_id, length).sum();
        self.sql.execute(GROW, &[instance.into(), execution_id.into(), length.into(), seal.into()])?;
        Ok(())
    }

    /// Its length stays, as nothing: so it is not taken for a history that got lost.
    pub(super) fn delete_execution(
        &mut self,
        instance: &InstanceId,
        execution_id: ExecutionId,
    ) -> Result<(), CommitError> {
        let head = self.head(instance)?.ok_or_else(|| CommitError::NoInstance(instance.clone()))?;
        if execution_id >= head.execution_id {
            let message = format!("execution {execution_id} is not an older one, the newest is {}", head.execution_id);
            return Err(invalid(instance, message));
        }
        self.sql.execute(TAKE_EVENTS, &[instance.into(), execution_id.into()])?;
        let seal = read::length_place(instance, execution_id, 0).sum();
        self.sql.execute(GROW, &[instance.into(), execution_id.into(), 0_u64.into(), seal.into()])?;
        Ok(())
    }

    /// The newest execution and the revision, as this transaction leaves them.
    pub(super) fn head(&mut self, instance: &InstanceId) -> Result<Option<Head>, CommitError> {
        match self.records.get(instance) {
            Some(head) => Ok(Some(*head)),
            None => Ok(read::head(&mut self.sql, instance)?),
        }
    }
}
