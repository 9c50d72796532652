//! What a turn takes from its own local activities.

use super::{Source, Turn};
use crate::dispatch::local::{CallKey, LocalCall, LocalEnd};
use crate::dispatch::resident::Resident;
use crate::payload::CodecError;

impl Turn {
    /// Those it asks for that have not been taken yet.
    pub(in crate::dispatch) fn take_local(&mut self) -> Vec<LocalCall> {
        let (instance, at) = (&self.instance, self.now);
        let tasks = self.effects.take_local();
        tasks.into_iter().map(|task| LocalCall { instance: instance.clone(), task, at }).collect()
    }

    /// Whether there are any.
    pub(in crate::dispatch) fn has_local(&self) -> bool {
        matches!(self.resident, Resident::Live(_)) && self.effects.has_local()
    }

    /// Whether its code waits for this one.
    pub(in crate::dispatch) fn wants(&self, key: CallKey) -> bool {
        matches!(self.resident, Resident::Live(_)) && self.effects.asks_for(key)
    }

    /// Takes these ends like messages, and runs the code over them.
    pub(in crate::dispatch) fn take_ends(&mut self, ends: Vec<(CallKey, LocalEnd)>) {
        let _inside = self.span.clone().entered();
        for (key, end) in ends {
            // The end of another may have changed that.
            if !self.wants(key) {
                continue;
            }
            if let Err(error) = self.take_end(key, end) {
                self.resident.suspend(format!("the end of a local activity cannot be written: {error}"));
            }
        }
    }

    fn take_end(&mut self, key: CallKey, end: LocalEnd) -> Result<(), CodecError> {
        match end {
            LocalEnd::Done(message) => {
                self.effects.withdraw(key);
                self.take(*message, Source::Local)
            }
            LocalEnd::Again(task, wait) => {
                let (comes_at, id) =
                    (self.now.saturating_add(wait), self.effects.put_back(key, &task, self.now, wait)?);
                self.rules.under_way.note(&self.instance, &id, &task, Some(comes_at));
                Ok(())
            }
            LocalEnd::Queued => Ok(()),
        }
    }
}
