//! Instances that cannot go on in this process, and why.

use std::collections::BTreeMap;
use std::sync::{Mutex, MutexGuard, PoisonError};

use crate::ids::InstanceId;

/// The reports by instance. Kept in memory only: another build may be able to go on.
#[derive(Default)]
pub(crate) struct Suspended(Mutex<Reports>);

#[derive(Default)]
struct Reports {
    /// What a turn here came to.
    suspended: BTreeMap<InstanceId, String>,
    /// What waits for a runtime that can run it, and found none for a while.
    unserved: BTreeMap<InstanceId, String>,
}

impl Suspended {
    pub(crate) fn report(&self, instance: &InstanceId) -> Option<String> {
        let reports = self.lock();
        reports.suspended.get(instance).or_else(|| reports.unserved.get(instance)).cloned()
    }

    /// How many there are.
    pub(super) fn count(&self) -> usize {
        let reports = self.lock();
        let both = reports.unserved.keys().filter(|instance| reports.suspended.contains_key(*instance)).count();
        reports.suspended.len() + reports.unserved.len() - both
    }

    /// Notes why an instance does not go on; says whether this is news.
    pub(super) fn note(&self, instance: &InstanceId, report: String) -> bool {
        self.lock().suspended.insert(instance.clone(), report.clone()) != Some(report)
    }

    /// These wait for another runtime, and no others do; answers those that are news.
    pub(super) fn note_unserved(&self, unserved: BTreeMap<InstanceId, String>) -> Vec<(InstanceId, String)> {
        let mut reports = self.lock();
        let known = std::mem::replace(&mut reports.unserved, unserved);
        let news = reports.unserved.iter().filter(|(instance, _)| !known.contains_key(*instance));
        news.map(|(instance, report)| (instance.clone(), report.clone())).collect()
    }

    pub(super) fn clear(&self, instance: &InstanceId) {
        let mut reports = self.lock();
        reports.suspended.remove(instance);
        reports.unserved.remove(instance);
    }

    fn lock(&self) -> MutexGuard<'_, Reports> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }
}
