//! A turn under supervision: watched while it runs, gone over twice, and parked instead of kept if either finds fault.

use std::sync::Arc;
use std::time::Duration;

use super::door::Delivery;
use super::double_check::{self, DoubleCheck, Part};
use super::kept::Kept;
use super::local::{CallKey, LocalEnd};
use super::resident::{Before, Resident};
use super::turn::{self, Planned, Rules, Turn};
use super::watchdog::{self, Watch};
use crate::providers::LeasedTurn;

/// What watches over the turns of one shard.
pub(super) struct Supervisor {
    pub(super) watch: Watch,
    pub(super) budget: Duration,
    pub(super) double_check: Option<DoubleCheck>,
}

/// What has become of a turn.
#[expect(clippy::large_enum_variant, reason = "nearly every turn is over at once, and is moved once")]
pub(super) enum Course {
    /// It is over.
    Over(Planned),
    /// It asks for local activities.
    Local(Box<Supervised>),
}

/// A turn that is not over, and what is left of its instance if it cannot be trusted.
pub(super) struct Supervised {
    pub(super) turn: Turn,
    before: Before,
    kept_before: Kept,
}

impl Supervisor {
    /// Begins a turn. If it cannot be trusted, nothing that the code did is kept: the messages wait, and the instance is
    /// suspended with the reason.
    pub(super) fn begin(
        &self,
        rules: &Arc<Rules>,
        leased: &LeasedTurn,
        resident: Resident,
        kept: Kept,
        deliveries: Vec<Delivery>,
    ) -> Course {
        let (before, kept_before) = (resident.before(leased), kept.clone());
        let (turn, took) = self.watch.over(&leased.instance, || turn::begin(rules, leased, resident, kept, deliveries));
        let mut supervised = Supervised { turn, before, kept_before };
        match self.fault(supervised.turn.take_parts(), took) {
            Some(report) => Course::Over(supervised.suspended(rules, leased, report)),
            None if supervised.turn.has_local() => Course::Local(Box::new(supervised)),
            None => Course::Over(supervised.turn.finish()),
        }
    }

    /// Goes on with a turn some of whose local activities have ended. It is over only if it cannot be trusted.
    pub(super) fn go_on(
        &self,
        rules: &Arc<Rules>,
        leased: &LeasedTurn,
        mut supervised: Box<Supervised>,
        ends: Vec<(CallKey, LocalEnd)>,
    ) -> Course {
        let ((), took) = self.watch.over(&leased.instance, || supervised.turn.take_ends(ends));
        match self.fault(supervised.turn.take_parts(), took) {
            Some(report) => Course::Over(supervised.suspended(rules, leased, report)),
            None => Course::Local(supervised),
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

impl Supervised {
    /// The same turn again, of an instance that cannot go on.
    fn suspended(self, rules: &Arc<Rules>, leased: &LeasedTurn, report: String) -> Planned {
        let planned = self.turn.finish();
        let answered = planned.answers.into_iter().map(|(delivery, _)| delivery);
        let deliveries = answered.chain(planned.deferred).collect();
        turn::begin(rules, leased, self.before.suspended(report), self.kept_before, deliveries).finish()
    }
}
