//! Instances that cannot go on in this process, and why.

use std::collections::BTreeMap;
use std::sync::{Mutex, MutexGuard, PoisonError};
use std::time::Instant;

use tokio::sync::Notify;

use super::resident::SUSPENDED_FOR;
use crate::ids::InstanceId;

/// How many are left to other processes at most; more are held back in the store, for all.
const LEFT_ALONE_MAX: usize = 1_000;

/// The reports by instance. Kept in memory only: another build may be able to go on.
#[derive(Default)]
pub(crate) struct Suspended {
    reports: Mutex<Reports>,
    /// Others are left alone than before.
    changed: Notify,
}

#[derive(Default)]
struct Reports {
    /// What a turn here came to.
    suspended: BTreeMap<InstanceId, String>,
    /// What waits for a runtime that can run it, and found none for a while.
    unserved: BTreeMap<InstanceId, String>,
    /// What is not taken here until then, while others may.
    left_alone: BTreeMap<InstanceId, Instant>,
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

    /// This process does not take it for a while, and others may; `false` if there are too many of those.
    pub(super) fn leave_alone(&self, instance: &InstanceId) -> bool {
        let (mut reports, now) = (self.lock(), Instant::now());
        reports.left_alone.retain(|_, until| *until > now);
        let one_more = reports.left_alone.len() < LEFT_ALONE_MAX || reports.left_alone.contains_key(instance);
        if one_more {
            reports.left_alone.insert(instance.clone(), now + SUSPENDED_FOR);
            self.changed.notify_one();
        }
        one_more
    }

    /// What this process does not take now.
    pub(super) fn left_alone(&self) -> Vec<InstanceId> {
        let (reports, now) = (self.lock(), Instant::now());
        let left_alone = reports.left_alone.iter().filter(|(_, until)| **until > now);
        left_alone.map(|(instance, _)| instance.clone()).collect()
    }

    /// Waits until [`Suspended::left_alone`] may answer something else.
    pub(super) async fn changed(&self) {
        self.changed.notified().await;
    }

    pub(super) fn clear(&self, instance: &InstanceId) {
        let mut reports = self.lock();
        reports.suspended.remove(instance);
        reports.unserved.remove(instance);
        if reports.left_alone.remove(instance).is_some() {
            self.changed.notify_one();
        }
    }

    fn lock(&self) -> MutexGuard<'_, Reports> {
        self.reports.lock().unwrap_or_else(PoisonError::into_inner)
    }
}
