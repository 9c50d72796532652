//! Looks through a store: every record is read as whoever needs it would, and what belongs together is compared.

use bytes::Bytes;

use super::keys::{self, Class};
use super::record::{self, Kind, Place};
use super::store::{Order, OrderedStore, StoreError};
use super::{read, values};
use crate::ids::{EventId, ExecutionId, InstanceId};
use crate::providers::{Checkup, ErrorKind, ProviderError};

/// So many keys are looked at before a commit may pass.
const KEYS_AT_ONCE: usize = 512;

/// How far it is.
#[derive(Default)]
pub(super) struct Doctor {
    from: Vec<u8>,
    checkup: Checkup,
    /// The history that is being walked, and its next event.
    next_event: Option<(InstanceId, ExecutionId, u64)>,
}

impl Doctor {
    /// Looks at the next records; `Err` with all that was found when there are no more.
    pub(super) fn step(mut self, store: &dyn OrderedStore) -> Result<Result<Self, Checkup>, ProviderError> {
        let pairs = match store.scan(&self.from..&[0xff], Order::Ascending, KEYS_AT_ONCE) {
            Ok(pairs) => pairs,
            // Where the store cannot go on nobody can; what was found so far is worth telling.
            Err(error @ StoreError::Damaged(_)) => {
                self.checkup.add(None, "the files of the store", error);
                return Ok(Err(self.checkup));
            }
            Err(error) => return Err(error.during("look through")),
        };
        let Some((last, _)) = pairs.last() else { return Ok(Err(self.checkup)) };
        self.from = [last, [0].as_slice()].concat();
        for (key, value) in pairs {
            self.checkup.records += 1;
            self.look(store, &key, value)?;
        }
        Ok(Ok(self))
    }

    fn look(&mut self, store: &dyn OrderedStore, key: &[u8], value: Bytes) -> Result<(), ProviderError> {
        match keys::classify(key) {
            Class::Store(name, kind) => {
                if let Err(damage) = record::open(Place { kind, owner: None, key }, value) {
                    self.checkup.add(None, name, damage);
                }
            }
            Class::Instance(id) => self.look_at_instance(store, &id)?,
            Class::History(id, execution, first) => self.look_at_history(store, &id, execution, first)?,
            Class::Message(of) => {
                let what = format!("message `{}`", of.id);
                self.judge(&of.instance, what, read::message(&of, |key| store.get(key)))?;
            }
            Class::Label(id) => self.look_at_label(store, key, &id)?,
            Class::Entry(id, name) => {
                self.judge(&id, format!("value of key `{name}`"), read::entry(store, &id, &name))?;
            }
            Class::Attempts(of) => {
                if let Err(damage) = values::decode_count(&of, value) {
                    self.checkup.add(Some(&of.instance), format!("attempts of message `{}`", of.id), damage);
                }
            }
            Class::Chunk(of) => {
                let is_there = store.get(of).map_err(|error| error.during("look through"))?.is_some();
                if !is_there {
                    self.checkup.add(None, format!("part of record {}", hex(of)), "the record is missing");
                }
            }
            Class::Unknown => self.checkup.add(None, format!("record {}", hex(key)), "nobody knows what it is"),
        }
        Ok(())
    }

    /// What cannot be read because it is damaged is noted.
    fn judge<T>(
        &mut self,
        instance: &InstanceId,
        record: String,
        read: Result<T, ProviderError>,
    ) -> Result<Option<T>, ProviderError> {
        match read {
            Ok(found) => Ok(Some(found)),
            Err(error) if error.kind() == ErrorKind::Corrupt => {
                self.checkup.add(Some(instance), record, error);
                Ok(None)
            }
            Err(error) => Err(error),
        }
    }

    fn look_at_instance(&mut self, store: &dyn OrderedStore, id: &InstanceId) -> Result<(), ProviderError> {
        let read = read::instance(id, |key| store.get(key));
        let Some(Some((record, _))) = self.judge(id, "its record".to_owned(), read)? else { return Ok(()) };
        for (name, value) in &record.labels {
            let key = keys::label(name, value, id);
            let value = store.get(&key).map_err(|error| error.during("look through"))?;
            let place = Place { kind: Kind::Label, owner: Some(id), key: &key };
            let problem = match value.map(|value| record::open(place, value)) {
                Some(Ok(_)) => continue,
                Some(Err(damage)) => damage.to_string(),
                None => "it is missing: lists by this label do not have the instance".to_owned(),
            };
            self.checkup.add(Some(id), format!("index of label `{name}`"), problem);
        }
        Ok(())
    }

    fn look_at_history(
        &mut self,
        store: &dyn OrderedStore,
        id: &InstanceId,
        execution: ExecutionId,
        first: EventId,
    ) -> Result<(), ProviderError> {
        let what = format!("history of execution {execution} from event {first} on");
        let expected = match &self.next_event {
            Some((of, number, next)) if of == id && *number == execution => *next,
            _ => {
                let record = store.get(&keys::instance(id)).map_err(|error| error.during("look through"))?;
                if record.is_none() {
                    self.checkup.add(Some(id), "its record", "it is missing, and there is a history");
                }
                EventId::FIRST.0
            }
        };
        if first.0 != expected {
            self.checkup.add(Some(id), &*what, format!("the events from {expected} on before it are missing"));
        }
        let read = read::history_records(store, id, execution, first, first, Order::Ascending, 1);
        let events = self.judge(id, what, read)?.and_then(|records| records.into_iter().next());
        let next = first.0 + events.map_or(1, |(_, events)| events.len() as u64);
        self.next_event = Some((id.clone(), execution, next));
        Ok(())
    }

    fn look_at_label(&mut self, store: &dyn OrderedStore, key: &[u8], id: &InstanceId) -> Result<(), ProviderError> {
        // A record that is damaged is named where it stands.
        let Ok(found) = read::instance(id, |key| store.get(key)) else { return Ok(()) };
        let has = |(name, value): (&String, &String)| keys::label(name, value, id) == key;
        let is_right = found.is_some_and(|(record, _)| record.labels.iter().any(has));
        if !is_right {
            self.checkup.add(Some(id), "index of labels", "it names a label that the instance does not have");
        }
        Ok(())
    }
}

/// Looks through a store that nobody else uses.
pub(super) fn check(store: &dyn OrderedStore) -> Result<Checkup, ProviderError> {
    let mut doctor = Doctor::default();
    loop {
        match doctor.step(store)? {
            Ok(more) => doctor = more,
            Err(checkup) => return Ok(checkup),
        }
    }
}

fn hex(key: &[u8]) -> String {
    key.iter().map(|byte| format!("{byte:02x}")).collect()
}
