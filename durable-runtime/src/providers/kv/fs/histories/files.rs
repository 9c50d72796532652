//! The files themselves.

use std::fs::{self, File};
use std::io::{self, Write as _};
use std::num::NonZeroUsize;
use std::ops::{Range, RangeInclusive};
use std::path::{Path, PathBuf};
use std::sync::{Arc, RwLock};

use bytes::Bytes;
use lru::LruCache;

use super::super::super::read;
use super::super::super::store::{Batch, Order, OrderedStore, Pair, StoreError};
use super::super::journal::reading;
use super::super::shelf::Shelf;
use super::{Change, Execution, names};
use crate::ids::{EventId, ExecutionId, InstanceId};

const HISTORY: &str = "history.jsonl";
const NEW_HISTORY: &str = "history.jsonl.new";
const EXECUTIONS: &str = "executions";
/// The id, as it is.
const ID: &str = "id.txt";
const END: EventId = EventId(u64::MAX);
const KNOWN_MAX: NonZeroUsize = NonZeroUsize::new(16 * 1024).unwrap();

/// See the module.
pub(super) struct Files {
    folder: PathBuf,
    pub(super) store: View,
    /// Files that are known to be right, and the next event of each.
    known: LruCache<Execution, EventId>,
    /// So that a full disk does not fill the log.
    complained: bool,
}

impl Files {
    pub(super) fn new(folder: PathBuf, shelf: Arc<RwLock<Shelf>>) -> Self {
        Self { folder, store: View(shelf), known: LruCache::new(KNOWN_MAX), complained: false }
    }

    /// Brings the file of an execution in step. An error is told once: the files are not what counts.
    pub(super) fn update(&mut self, instance: &InstanceId, execution: ExecutionId, change: Change) {
        let of = (instance.clone(), execution);
        let done = match change {
            Change::More(first, last) if self.known.get(&of) == Some(&first) => {
                self.append(instance, execution, first..=last)
            }
            Change::More(_, last) => self.rewrite(instance, execution, last),
            Change::Anew => self.rewrite(instance, execution, END),
        };
        self.note(of, done);
    }

    /// Looks whether the file of an execution is right, and writes it again if it is not.
    pub(super) fn verify(&mut self, instance: &InstanceId, execution: ExecutionId) {
        let verified = self.try_verify(instance, execution);
        self.note((instance.clone(), execution), verified);
    }

    fn note(&mut self, of: Execution, done: io::Result<EventId>) {
        match done {
            Ok(next) if next > EventId::FIRST => drop(self.known.put(of, next)),
            Ok(_) => drop(self.known.pop(&of)),
            Err(error) => {
                self.known.pop(&of);
                if !std::mem::replace(&mut self.complained, true) {
                    let (instance, execution) = of;
                    tracing::warn!(%instance, %execution, %error, "a readable history could not be written");
                }
            }
        }
    }

    /// The events of the records that begin in this range.
    fn events(
        &self,
        instance: &InstanceId,
        execution: ExecutionId,
        records: RangeInclusive<EventId>,
    ) -> io::Result<Vec<Bytes>> {
        let (from, to) = records.into_inner();
        let records = read::history_records(&self.store, instance, execution, from, to, Order::Ascending, usize::MAX);
        // What is damaged is said where it is read for good; the file stays as it is.
        let records = records.map_err(|error| io::Error::other(error.to_string()))?;
        Ok(records.into_iter().flat_map(|(_, events)| events).collect())
    }

    fn append(
        &self,
        instance: &InstanceId,
        execution: ExecutionId,
        records: RangeInclusive<EventId>,
    ) -> io::Result<EventId> {
        let (first, last) = (*records.start(), *records.end());
        let events = self.events(instance, execution, records)?;
        let path = self.execution(instance, execution).join(HISTORY);
        match File::options().append(true).open(path) {
            Ok(mut file) => file.write_all(&lines(&events))?,
            Err(_) => return self.rewrite(instance, execution, last),
        }
        Ok(EventId(first.0 + events.len() as u64))
    }

    /// Up to the record that begins with `last`: what comes after it may not be on disk yet.
    fn rewrite(&self, instance: &InstanceId, execution: ExecutionId, last: EventId) -> io::Result<EventId> {
        let events = self.events(instance, execution, EventId::FIRST..=last)?;
        let folder = self.execution(instance, execution);
        if events.is_empty() {
            self.remove_execution(instance, &folder)?;
        } else {
            self.put(instance, &folder, &lines(&events))?;
        }
        Ok(EventId(1 + events.len() as u64))
    }

    fn try_verify(&self, instance: &InstanceId, execution: ExecutionId) -> io::Result<EventId> {
        let events = self.events(instance, execution, EventId::FIRST..=END)?;
        let folder = self.execution(instance, execution);
        let lines = lines(&events);
        if !holds(&folder.join(HISTORY), &lines) || !self.has_id(instance) {
            self.put(instance, &folder, &lines)?;
        }
        Ok(EventId(1 + events.len() as u64))
    }

    fn put(&self, instance: &InstanceId, folder: &Path, lines: &[u8]) -> io::Result<()> {
        create_folder(folder)?;
        if !self.has_id(instance) {
            create_file(&self.instance(instance).join(ID), instance.as_str().as_bytes())?;
        }
        let new = folder.join(NEW_HISTORY);
        create_file(&new, lines)?;
        fs::rename(new, folder.join(HISTORY))
    }

    fn has_id(&self, instance: &InstanceId) -> bool {
        holds(&self.instance(instance).join(ID), instance.as_str().as_bytes())
    }

    fn remove_execution(&self, instance: &InstanceId, folder: &Path) -> io::Result<()> {
        gone(fs::remove_dir_all(folder))?;
        // Not empty as long as there is another execution.
        if fs::remove_dir(self.instance(instance).join(EXECUTIONS)).is_ok() {
            gone(fs::remove_dir_all(self.instance(instance)))?;
        }
        Ok(())
    }

    /// Takes away what belongs to no instance that has a history.
    pub(super) fn prune(&mut self) -> io::Result<()> {
        for name in names_in(&self.folder)?.into_iter().filter(|name| names::is_folder(name)) {
            let folder = self.folder.join(&name);
            let id = fs::read_to_string(folder.join(ID)).ok().and_then(|id| InstanceId::new(id).ok());
            let Some(id) = id.filter(|id| names::folder(id) == name) else {
                gone(fs::remove_dir_all(folder))?;
                continue;
            };
            for execution in names_in(&folder.join(EXECUTIONS))? {
                let number = execution.parse().ok().map(ExecutionId);
                let length = number.map(|number| read::history_len(&self.store, &id, number));
                if matches!(length, None | Some(Ok(0))) {
                    self.remove_execution(&id, &folder.join(EXECUTIONS).join(execution))?;
                }
            }
        }
        Ok(())
    }

    fn instance(&self, instance: &InstanceId) -> PathBuf {
        self.folder.join(names::folder(instance))
    }

    fn execution(&self, instance: &InstanceId, execution: ExecutionId) -> PathBuf {
        self.instance(instance).join(EXECUTIONS).join(execution.0.to_string())
    }
}

fn holds(path: &Path, bytes: &[u8]) -> bool {
    fs::read(path).is_ok_and(|found| found == bytes)
}

fn names_in(folder: &Path) -> io::Result<Vec<String>> {
    match fs::read_dir(folder) {
        Err(error) if error.kind() == io::ErrorKind::NotFound => Ok(Vec::new()),
        entries => entries?.map(|entry| Ok(entry?.file_name().to_string_lossy().into_owned())).collect(),
    }
}

fn gone(removed: io::Result<()>) -> io::Result<()> {
    removed.or_else(|error| if error.kind() == io::ErrorKind::NotFound { Ok(()) } else { Err(error) })
}

fn create_folder(path: &Path) -> io::Result<()> {
    let mut builder = fs::DirBuilder::new();
    builder.recursive(true);
    #[cfg(unix)]
    std::os::unix::fs::DirBuilderExt::mode(&mut builder, 0o700);
    builder.create(path)
}

fn create_file(path: &Path, bytes: &[u8]) -> io::Result<()> {
    let mut options = File::options();
    options.write(true).create(true).truncate(true);
    #[cfg(unix)]
    std::os::unix::fs::OpenOptionsExt::mode(&mut options, 0o600);
    options.open(path)?.write_all(bytes)
}

/// One event a line, as it is stored; one that would not be one line of text is given in hexadecimal.
fn lines(events: &[Bytes]) -> Vec<u8> {
    let mut lines = Vec::with_capacity(events.iter().map(|event| event.len() + 1).sum());
    for data in events {
        let is_line = std::str::from_utf8(data).is_ok_and(|text| !text.contains(char::is_control));
        if is_line {
            lines.extend(data);
        } else {
            lines.extend(b"{\"hex\":\"");
            data.iter().for_each(|byte| lines.extend(format!("{byte:02x}").as_bytes()));
            lines.extend(b"\"}");
        }
        lines.push(b'\n');
    }
    lines
}

/// The shelf as an ordered store that is only read.
pub(super) struct View(pub(super) Arc<RwLock<Shelf>>);

impl OrderedStore for View {
    fn get(&self, key: &[u8]) -> Result<Option<Bytes>, StoreError> {
        reading(&self.0).get(key)
    }

    fn scan(&self, range: Range<&[u8]>, order: Order, limit: usize) -> Result<Vec<Pair>, StoreError> {
        reading(&self.0).scan(range, order, limit)
    }

    fn apply(&mut self, _: Batch) -> Result<(), StoreError> {
        Err(StoreError::Closed)
    }

    fn sync(&self) -> Result<(), StoreError> {
        Err(StoreError::Closed)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_event_is_one_line_whatever_it_is() {
        let events: [&[u8]; 5] = [b"{\"a\":\"b\"}", b"two\nlines", b"", &[0xff, 0], "☃".as_bytes()];
        let text = String::from_utf8(lines(&events.map(Bytes::copy_from_slice))).unwrap();
        assert_eq!(text, "{\"a\":\"b\"}\n{\"hex\":\"74776f0a6c696e6573\"}\n\n{\"hex\":\"ff00\"}\n☃\n");
    }
}
