//! What a shard knows of an instance between turns.

use std::sync::Arc;
use std::time::Duration;

use crate::ids::{CommandId, ExecutionId};
use crate::metadata::{Identity, Status};
use crate::providers::LeasedTurn;
use crate::replay::{Execution, Open};

/// How long events for an instance that does not exist are left alone, at least and at most: as long as they have waited.
/// A start looks at once, unless it comes through the store alone.
const ABSENT_FOR: (Duration, Duration) = (Duration::from_millis(20), Duration::from_secs(30));
/// How long events for an instance whose start is not due yet are left alone at most: its start may be that late.
const PENDING_FOR_MAX: Duration = Duration::from_millis(250);
/// How long events are left alone for which there is no room.
const FULL_FOR: Duration = Duration::from_millis(250);
/// How long an instance that cannot go on here is left alone, though this runtime has its handler. A restart, with another
/// build, looks at once.
pub(super) const SUSPENDED_FOR: Duration = Duration::from_secs(60);

/// What is known of an instance when its turn begins, and what is kept of it for the next one.
pub(super) enum Resident {
    /// Nothing: no message has started it.
    Absent,
    /// It is kept, but its newest execution has no event yet.
    Pending {
        /// That execution.
        execution_id: ExecutionId,
        /// What it will be.
        identity: Option<Arc<Identity>>,
    },
    /// It works or waits.
    Live(Box<Live>),
    /// Nothing more can happen to it.
    Closed {
        /// Its last execution.
        execution_id: ExecutionId,
        /// How it ended.
        status: Status,
    },
    /// What is kept of it has changed in this turn; the next one looks.
    Unloaded,
    /// It cannot go on here.
    Suspended {
        /// Its newest execution.
        execution_id: ExecutionId,
        /// How many events that has.
        history_len: u64,
        /// What it is, as far as that is known.
        identity: Option<Arc<Identity>>,
        /// What it has asked for and not heard of, as far as that is known.
        open: Vec<(CommandId, Open)>,
        /// Why.
        report: String,
        /// Whether somebody wanted it so: it does not go on by itself.
        by_hand: bool,
        /// What a runtime must be able to do to run it, if this one cannot: it is not handed out to others.
        needs: Option<String>,
    },
}

/// An execution in memory.
pub(super) struct Live {
    pub(super) execution_id: ExecutionId,
    pub(super) identity: Arc<Identity>,
    pub(super) execution: Execution,
}

/// What an instance was when its turn began.
pub(super) struct Before {
    execution_id: ExecutionId,
    history_len: u64,
    identity: Option<Arc<Identity>>,
}

impl Before {
    /// It cannot go on from there.
    pub(super) fn suspended(self, report: String) -> Resident {
        let Self { execution_id, history_len, identity } = self;
        Resident::Suspended {
            execution_id,
            history_len,
            identity,
            open: Vec::new(),
            report,
            by_hand: false,
            needs: None,
        }
    }
}

impl Resident {
    /// What is left of it if the turn that begins is not kept.
    pub(super) fn before(&self, turn: &LeasedTurn) -> Before {
        let (execution_id, history_len) = (self.execution_id(), turn.history_len);
        Before { execution_id, history_len, identity: self.identity().cloned() }
    }

    /// What it is, as far as that is known.
    pub(super) fn identity(&self) -> Option<&Arc<Identity>> {
        match self {
            Self::Live(live) => Some(&live.identity),
            Self::Suspended { identity, .. } | Self::Pending { identity, .. } => identity.as_ref(),
            Self::Absent | Self::Unloaded | Self::Closed { .. } => None,
        }
    }

    /// About how much memory it takes, in bytes.
    pub(super) fn weight(&self) -> usize {
        match self {
            Self::Live(live) => live.execution.weight(),
            _ => 0,
        }
    }

    pub(super) fn execution_id(&self) -> ExecutionId {
        match self {
            Self::Absent | Self::Unloaded => ExecutionId(0),
            Self::Pending { execution_id, .. }
            | Self::Closed { execution_id, .. }
            | Self::Suspended { execution_id, .. } => *execution_id,
            Self::Live(live) => live.execution_id,
        }
    }

    /// Whether code was run over its history to make it.
    pub(super) fn was_replayed(&self) -> bool {
        matches!(self, Self::Live(_))
    }

    /// It cannot go on here. What has been taken so far stays, the rest waits.
    pub(super) fn suspend(&mut self, report: String) {
        let (history_len, open) = match self {
            Self::Live(live) => (live.execution.history_len(), live.execution.open()),
            Self::Suspended { .. } => return,
            _ => (0, Vec::new()),
        };
        let (execution_id, identity) = (self.execution_id(), self.identity().cloned());
        *self = Self::Suspended { execution_id, history_len, identity, open, report, by_hand: false, needs: None };
    }

    /// How long its messages wait before they bring another turn, if they have waited so long: as long again.
    pub(super) fn delay(&self, waited: Duration, left: bool) -> Option<Duration> {
        match self {
            Self::Pending { .. } if left => Some(waited.clamp(ABSENT_FOR.0, PENDING_FOR_MAX)),
            Self::Absent => Some(waited.clamp(ABSENT_FOR.0, ABSENT_FOR.1)),
            Self::Suspended { needs: Some(_), .. } => None,
            Self::Suspended { .. } => Some(SUSPENDED_FOR),
            // Its mailbox is full.
            Self::Live(_) if left => Some(FULL_FOR),
            _ => None,
        }
    }
}
