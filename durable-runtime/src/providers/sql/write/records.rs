//! Records of instances, and their end.

use bytes::Bytes;

use super::super::read::{self, Head};
use super::Write;
use crate::ids::InstanceId;
use crate::providers::CommitError;
use crate::providers::record::Kind;

const PUT: &str = "INSERT INTO metadata (instance, key, value) VALUES (?1, ?2, ?3) \
                   ON CONFLICT (instance, key) DO UPDATE SET value = excluded.value";
const TAKE: &str = "DELETE FROM metadata WHERE instance = ?1 AND key = ?2";
const PUT_ENTRY: &str = "INSERT INTO entries (instance, key, value) VALUES (?1, ?2, ?3) \
                         ON CONFLICT (instance, key) DO UPDATE SET value = excluded.value";
const TAKE_ENTRY: &str = "DELETE FROM entries WHERE instance = ?1 AND key = ?2";
const LABEL: &str = "INSERT INTO labels (instance, name, value, seal) VALUES (?1, ?2, ?3, ?4) \
                     ON CONFLICT (instance, name) DO UPDATE SET value = excluded.value, seal = excluded.seal";
const UNLABEL: &str = "DELETE FROM labels WHERE instance = ?1 AND name = ?2";
const RECORD: &str = "INSERT INTO instances (instance, execution, revision, seal) VALUES (?1, ?2, ?3, ?4) \
                      ON CONFLICT (instance) DO UPDATE SET execution = excluded.execution, \
                      revision = excluded.revision, seal = excluded.seal";
const DELETE_RECORD: &str = "DELETE FROM instances WHERE instance = ?1";
/// All the rest of an instance. Bodies first: they are found by their messages.
const DELETE: [&str; 9] = [
    "DELETE FROM bodies WHERE sequence IN (SELECT sequence FROM messages WHERE instance = ?1)",
    "DELETE FROM messages WHERE instance = ?1",
    "DELETE FROM leases WHERE instance = ?1",
    "DELETE FROM turns WHERE instance = ?1",
    "DELETE FROM events WHERE instance = ?1",
    "DELETE FROM partitions WHERE instance = ?1",
    "DELETE FROM metadata WHERE instance = ?1",
    "DELETE FROM labels WHERE instance = ?1",
    "DELETE FROM entries WHERE instance = ?1",
];

impl Write<'_> {
    pub(super) fn put_metadata(
        &mut self,
        instance: &InstanceId,
        entries: &[(String, Option<Bytes>)],
    ) -> Result<(), CommitError> {
        self.record(instance)?;
        for (key, value) in entries {
            match value {
                Some(value) => {
                    let sealed = read::metadata_place(instance, key).seal(Kind::Instance, instance, value);
                    self.sql.execute(PUT, &[instance.into(), key.as_str().into(), sealed.as_slice().into()])?
                }
                None => self.sql.execute(TAKE, &[instance.into(), key.as_str().into()])?,
            };
        }
        Ok(())
    }

    pub(super) fn put_entries(
        &mut self,
        instance: &InstanceId,
        entries: &[(String, Option<Bytes>)],
    ) -> Result<(), CommitError> {
        self.record(instance)?;
        for (key, value) in entries {
            match value {
                Some(value) => {
                    let sealed = read::entry_place(instance, key).seal(Kind::Entry, instance, value);
                    self.sql.execute(PUT_ENTRY, &[instance.into(), key.as_str().into(), sealed.as_slice().into()])?
                }
                None => self.sql.execute(TAKE_ENTRY, &[instance.into(), key.as_str().into()])?,
            };
        }
        Ok(())
    }

    pub(super) fn put_labels(
        &mut self,
        instance: &InstanceId,
        labels: &[(String, Option<String>)],
    ) -> Result<(), CommitError> {
        self.record(instance)?;
        for (name, value) in labels {
            match value {
                Some(value) => {
                    let seal = read::label_place(instance, name, value).sum();
                    let params = [instance.into(), name.as_str().into(), value.as_str().into(), seal.into()];
                    self.sql.execute(LABEL, &params)?
                }
                None => self.sql.execute(UNLABEL, &[instance.into(), name.as_str().into()])?,
            };
        }
        Ok(())
    }

    /// The record as this transaction changes it. Its revision is raised once.
    pub(super) fn record(&mut self, instance: &InstanceId) -> Result<Head, CommitError> {
        if let Some(head) = self.records.get(instance) {
            return Ok(*head);
        }
        let head = read::head(&mut self.sql, instance)?.ok_or_else(|| CommitError::NoInstance(instance.clone()))?;
        let head = Head { revision: head.revision + 1, ..head };
        self.records.insert(instance.clone(), head);
        Ok(head)
    }

    pub(super) fn write_record(&mut self, instance: &InstanceId, head: Head) -> Result<(), CommitError> {
        let seal = read::head_place(instance, head).sum();
        let params = [instance.into(), head.execution_id.into(), head.revision.into(), seal.into()];
        self.sql.execute(RECORD, &params)?;
        Ok(())
    }

    pub(super) fn delete_instance(&mut self, instance: &InstanceId) -> Result<(), CommitError> {
        // Nothing of it is read: what is damaged can be deleted too.
        let drafted = self.records.remove(instance).is_some();
        let kept = self.sql.execute(DELETE_RECORD, &[instance.into()])? > 0;
        for statement in DELETE {
            self.sql.execute(statement, &[instance.into()])?;
        }
        if drafted || kept {
            self.changes.records.insert(instance.clone());
        }
        self.queues.insert(instance.clone());
        self.changes.wiped.insert(instance.clone());
        Ok(())
    }
}
