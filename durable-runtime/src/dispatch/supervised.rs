//! A turn under supervision: watched while it runs, gone over twice, and parked instead of kept if either finds fault.

use std::time::Duration;

use super::door::Delivery;
use super::double_check::{self, DoubleCheck, Part};
use super::kept::Kept;
use super::resident::Resident;
use super::turn::{Planned, Rules, plan};
use super::watchdog::{self, Watch};
use crate::providers::LeasedTurn;

/// What watches over the turns of one shard.
pub(super) struct Supervisor {
    pub(super) watch: Watch,
    pub(super) budget: Duration,
    pub(super) double_check: Option<DoubleCheck>,
}

impl Supervisor {
    /// Plans a turn. If it cannot be trusted, nothing that the code did is kept: the messages wait, and the instance is
    /// suspended with the reason.
    pub(super) fn plan(
        &self,
        rules: &Rules,
        turn: &LeasedTurn,
        resident: Resident,
        kept: Kept,
        deliveries: Vec<Delivery>,
    ) -> Planned {
        let (before, kept_before) = (resident.before(turn), kept.clone());
        let (mut planned, took) = self.watch.over(&turn.instance, || plan(rules, turn, resident, kept, deliveries));
        match self.fault(std::mem::take(&mut planned.parts), took) {
            None => planned,
            Some(report) => {
                let answered = planned.answers.into_iter().map(|(delivery, _)| delivery);
                let deliveries = answered.chain(planned.deferred).collect();
                plan(rules, turn, before.suspended(report), kept_before, deliveries)
            }
        }
    }

    /// Runs code over a whole history, watched and gone over twice.
    pub(super) fn load(&self, turn: &LeasedTurn, load: impl FnOnce() -> (Resident, Option<Part>)) -> Resident {
        let ((resident, part), took) = self.watch.over(&turn.instance, load);
        let before = resident.before(turn);
        match self.fault(part.into_iter().collect(), took) {
            None => resident,
            Some(report) => before.suspended(report),
        }
    }

    /// Why a turn cannot be trusted.
    fn fault(&self, parts: Vec<Part>, took: Duration) -> Option<String> {
        if took > self.budget {
            return Some(watchdog::too_long(self.budget));
        }
        let mismatch = self.double_check.as_ref()?.check(parts).err()?;
        Some(double_check::report(&mismatch))
    }
}
