//! What a replay finds at its place, and what is drawn again: side effects, patches, values by key, guids.

use uuid::Uuid;

use super::{Changes, Journal, Recorded};
use crate::history::{EventKind, Place};
use crate::payload::Payload;
use crate::replay::kept::{Found, Full};

/// The namespace of [`Journal::draw`]; changing it would change every replay.
const DRAWS: Uuid = Uuid::from_u128(0x6f1d_2a5c_91f4_4b0e_8d2b_3f5a_7c10_e9b7);

impl Journal {
    /// The value that a replay finds at this place.
    pub(crate) fn recorded_value(&mut self) -> Option<Payload> {
        match self.next_recorded() {
            Some(Recorded::Value(value)) => Some(value),
            _ => None,
        }
    }

    /// What is recorded here. Patches that the code did not ask about are passed over.
    fn next_recorded(&mut self) -> Option<Recorded> {
        while let Some(Recorded::Patched(_)) = self.recorded.front() {
            self.recorded.pop_front();
        }
        self.recorded.pop_front()
    }

    /// Whether the changed way is to be taken: yes where nobody has been before. The first answer stands.
    pub(crate) fn patched(&mut self, id: &str) -> bool {
        if let Some(known) = self.patches.get(id) {
            return *known;
        }
        let here = |recorded: &&Recorded| matches!(recorded, Recorded::Patched(_));
        let mut recorded = self.recorded.iter().take_while(here);
        let is_patched =
            !self.replaying || recorded.any(|recorded| matches!(recorded, Recorded::Patched(known) if known == id));
        if is_patched && self.end.is_none() {
            self.given.push(EventKind::Patched { id: id.to_owned() });
        }
        self.patches.insert(id.to_owned(), is_patched);
        is_patched
    }

    pub(crate) fn kv_get(&mut self, key: &str, place: Place) -> Option<Payload> {
        self.look_at(key, true, place);
        self.kv.get(key)
    }

    pub(crate) fn kv_put(&mut self, key: &str, value: Option<Payload>, place: Place) -> Result<(), Full> {
        self.look_at(key, false, place);
        self.kv.put(key, value, &self.facts.limits)
    }

    /// Records what an earlier execution has left for a key, before this one does anything with it.
    fn look_at(&mut self, key: &str, for_value: bool, place: Place) {
        if !self.kv.is_unknown(key) {
            return;
        }
        let recorded = if self.replaying { self.next_recorded() } else { None };
        let found = match recorded {
            Some(Recorded::Found(found)) => found,
            _ => {
                let stored = self.stored.get(key);
                let bytes = stored.map(|value| value.len() as u64);
                Found { value: stored.filter(|_| for_value).cloned(), bytes }
            }
        };
        let (name, Found { value, bytes }) = (key.to_owned(), found.clone());
        self.give(|command| EventKind::KvRead { command, key: name, value, bytes, place });
        self.kv.learn(key, found);
    }

    /// What the code set and took away since the last call.
    pub(crate) fn take_kept(&mut self) -> Changes {
        Changes { kv: self.kv.take_changes(), labels: self.labels.take_changes() }
    }

    /// The next guid of this execution: RFC 9562 version 5 over its name and a counter, so that every replay, on
    /// every platform and with every version of this library, draws the same ones.
    pub(crate) fn draw(&mut self) -> Uuid {
        self.draws += 1;
        let name = format!("{}\n{}\n{}", self.facts.instance, self.facts.execution_id, self.draws);
        Uuid::new_v5(&DRAWS, name.as_bytes())
    }
}
