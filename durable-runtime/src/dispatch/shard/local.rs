//! A lane whose turn waits for its local activities.

use std::time::Duration;

use super::Running;
use super::lane::Step;
use crate::dispatch::door::TurnRoom;
use crate::dispatch::local::{CallKey, LocalEnd, LocalRuns};
use crate::dispatch::supervised::{Course, Supervised};
use crate::providers::LeasedTurn;

/// A turn that waits for its local activities.
pub(super) struct LocalTurn {
    leased: LeasedTurn,
    room: Option<TurnRoom>,
    supervised: Box<Supervised>,
    runs: LocalRuns,
}

impl LocalTurn {
    pub(super) fn new(leased: LeasedTurn, room: Option<TurnRoom>, supervised: Box<Supervised>) -> Self {
        Self { leased, room, supervised, runs: LocalRuns::new() }
    }
}

impl Running {
    /// Runs what the turn asks for; if nothing of it runs, the turn is over.
    pub(super) fn run_local(&mut self, mut turn: LocalTurn) {
        if let Some(workers) = self.shard.workers.get() {
            for call in turn.supervised.turn.take_local() {
                turn.runs.begin(workers, call);
            }
        }
        let asking = &turn.supervised.turn;
        turn.runs.keep(|key| asking.wants(key));
        if turn.runs.is_empty() {
            let LocalTurn { leased, room, supervised, .. } = turn;
            return self.commit(leased, room, supervised.turn.finish(), Duration::ZERO);
        }
        self.pending.push(Box::pin(async move {
            let ends = turn.runs.next().await;
            Step::LocalEnded(Box::new(turn), ends)
        }));
    }

    pub(super) fn local_ended(&mut self, turn: LocalTurn, ends: Vec<(CallKey, LocalEnd)>) {
        let LocalTurn { leased, room, supervised, mut runs } = turn;
        match self.shard.supervisor.go_on(&self.shard.rules, &leased, supervised, ends) {
            Course::Local(supervised) => self.run_local(LocalTurn { leased, room, supervised, runs }),
            Course::Over(planned) => {
                runs.keep(|_| false);
                self.commit(leased, room, planned, Duration::ZERO);
            }
        }
    }
}
