//! Executions and their histories.

use std::collections::BTreeMap;

use bytes::Bytes;

use super::super::heads::Head;
use super::super::record::Kind;
use super::super::{keys, read, values};
use super::{COMMIT, Change, Draft, invalid};
use crate::ids::{EventId, ExecutionId, InstanceId};
use crate::providers::{CommitError, InstanceRecord};

impl Draft<'_> {
    pub(super) fn create_execution(
        &mut self,
        instance: &InstanceId,
        execution_id: ExecutionId,
    ) -> Result<(), CommitError> {
        let head = self.head(instance)?;
        let newest = head.map_or(ExecutionId(0), |head| head.execution_id);
        if execution_id != newest.next() {
            return Err(CommitError::ExecutionExists { instance: instance.clone(), newest });
        }
        match head {
            Some(head) => {
                self.layer.older.insert((instance.clone(), newest), head.history_len);
                self.record(instance)?.execution_id = execution_id;
            }
            None => self.create_instance(instance, execution_id),
        }
        let revision = self.records.get(instance).map_or(0, |change| change.record.revision);
        self.put_head(instance, Some(Head { execution_id, history_len: 0, revision }));
        self.end_outlived_lease(instance, execution_id);
        Ok(())
    }

    pub(super) fn create_instance(&mut self, instance: &InstanceId, execution_id: ExecutionId) {
        let (metadata, labels) = (BTreeMap::new(), BTreeMap::new());
        let record = InstanceRecord { instance: instance.clone(), execution_id, revision: 1, metadata, labels };
        let change = Change { record, old_parts: 0, old_labels: BTreeMap::new() };
        self.records.insert(instance.clone(), change);
        self.layer.created += 1;
    }

    pub(super) fn append_history(
        &mut self,
        instance: &InstanceId,
        execution_id: ExecutionId,
        first: EventId,
        events: &[Bytes],
    ) -> Result<(), CommitError> {
        let head = self.head(instance)?.ok_or_else(|| CommitError::NoInstance(instance.clone()))?;
        let kept = self.history_len(instance, execution_id, &head)?;
        let expected = EventId(kept + 1);
        if first != expected {
            return Err(CommitError::HistoryConflict {
                instance: instance.clone(),
                execution_id,
                expected,
                given: first,
            });
        }
        let history_len = kept + events.len() as u64;
        if execution_id == head.execution_id {
            self.put_head(instance, Some(Head { history_len, ..head }));
        } else {
            self.layer.older.insert((instance.clone(), execution_id), history_len);
        }
        if !events.is_empty() {
            let key = keys::history(instance, execution_id, first);
            self.write(Kind::History, instance, &key, &values::encode_events(events));
        }
        Ok(())
    }

    /// An execution that is not there has an empty history already.
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
        for range in keys::all_of_execution(instance, execution_id) {
            self.drop_range(range).map_err(|error| error.during(COMMIT).instance(instance))?;
        }
        self.layer.touched.insert(instance.clone());
        self.layer.older.insert((instance.clone(), execution_id), 0);
        Ok(())
    }

    pub(super) fn history_len(
        &self,
        instance: &InstanceId,
        execution_id: ExecutionId,
        head: &Head,
    ) -> Result<u64, CommitError> {
        if execution_id == head.execution_id {
            return Ok(head.history_len);
        }
        if execution_id > head.execution_id || execution_id < ExecutionId::FIRST {
            let message = format!("there is no execution {execution_id}, the newest is {}", head.execution_id);
            return Err(invalid(instance, message));
        }
        let key = (instance.clone(), execution_id);
        let changed = self.layer.older.get(&key).or_else(|| self.ground.group.older.get(&key));
        changed.map_or_else(|| Ok(read::history_len(self.ground.store, instance, execution_id)?), |len| Ok(*len))
    }
}
