//! Instances that cannot go on in this process, and why.

use std::collections::BTreeMap;
use std::sync::{Mutex, MutexGuard, PoisonError};

use crate::ids::InstanceId;

/// The reports by instance. Kept in memory only: another build may be able to go on.
#[derive(Default)]
pub(crate) struct Suspended(Mutex<BTreeMap<InstanceId, String>>);

impl Suspended {
    pub(crate) fn report(&self, instance: &InstanceId) -> Option<String> {
        self.lock().get(instance).cloned()
    }

    /// How many there are.
    pub(super) fn count(&self) -> usize {
        self.lock().len()
    }

    /// Notes why an instance does not go on; says whether this is news.
    pub(super) fn note(&self, instance: &InstanceId, report: String) -> bool {
        self.lock().insert(instance.clone(), report.clone()) != Some(report)
    }

    pub(super) fn clear(&self, instance: &InstanceId) {
        let mut reports = self.lock();
        if !reports.is_empty() {
            reports.remove(instance);
        }
    }

    fn lock(&self) -> MutexGuard<'_, BTreeMap<InstanceId, String>> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }
}
