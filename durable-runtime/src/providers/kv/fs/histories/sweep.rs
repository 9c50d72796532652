//! Compares all files with the journal, some at a time: what is wrong is written again, what belongs to nothing goes.

use super::super::super::keys;
use super::super::super::store::Order;
use super::super::journal::reading;
use super::Execution;
use super::files::Files;

/// How far it is.
#[derive(Default)]
pub(super) struct Sweep {
    after: Option<Vec<u8>>,
    last: Option<Execution>,
}

impl Sweep {
    /// Looks at the files of so many keys; `None` when all is done.
    pub(super) fn step(mut self, files: &mut Files, most: usize) -> Option<Self> {
        let range = keys::histories();
        let from = self.after.map_or(range.start, |after| [after.as_slice(), &[0]].concat());
        let shelf = reading(&files.store.0);
        let found = shelf.places.range(&from..&range.end, Order::Ascending, most);
        let keys: Vec<Vec<u8>> = found.into_iter().map(|(key, _)| key.to_vec()).collect();
        drop(shelf);
        for (instance, execution, _) in keys.iter().filter_map(|key| keys::history_ids(key)) {
            let of = (instance, execution);
            if self.last.as_ref() != Some(&of) {
                files.verify(&of.0, of.1);
                self.last = Some(of);
            }
        }
        self.after = keys.into_iter().next_back();
        if self.after.is_some() {
            return Some(self);
        }
        if let Err(error) = files.prune() {
            tracing::warn!(%error, "readable histories of deleted instances could not be removed");
        }
        None
    }
}
