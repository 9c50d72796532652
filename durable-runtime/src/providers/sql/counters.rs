//! Numbers that never repeat, in the one row of `store`. Read when a group begins, written when it ends.

use super::seal::Place;
use super::session::{Row, Session, SqlError};

const READ: &str = "SELECT commits, fence, sequence, handles, seal FROM store WHERE only_one = 1";
const WRITE: &str = "UPDATE store SET commits = ?1, fence = ?2, sequence = ?3, handles = ?4, seal = ?5";

/// See the module.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) struct Counters {
    /// Groups and transactions kept.
    pub(super) commits: u64,
    /// The last lease granted.
    pub(super) fence: u64,
    /// The last message put into a queue.
    pub(super) sequence: u64,
    /// The last opening.
    pub(super) handles: u64,
}

impl Counters {
    pub(super) fn read(session: &mut dyn Session) -> Result<Self, SqlError> {
        let mut found = None;
        session.query(READ, &[], &mut |row: &dyn Row| {
            let [commits, fence, sequence, handles] = [row.number(0)?, row.number(1)?, row.number(2)?, row.number(3)?];
            let counters = Self { commits, fence, sequence, handles };
            found = Some((counters, row.number(4)?));
            Ok(())
        })?;
        match found {
            Some((counters, seal)) if seal == counters.seal() => Ok(counters),
            _ => Err(SqlError::damaged("the record of the store is damaged")),
        }
    }

    pub(super) fn write(self, session: &mut dyn Session) -> Result<(), SqlError> {
        let Self { commits, fence, sequence, handles } = self;
        let params = [commits.into(), fence.into(), sequence.into(), handles.into(), self.seal().into()];
        session.execute(WRITE, &params).map(drop)
    }

    pub(super) fn next_fence(&mut self) -> u64 {
        self.fence += 1;
        self.fence
    }

    pub(super) fn next_sequence(&mut self) -> u64 {
        self.sequence += 1;
        self.sequence
    }

    /// The checksum of the row; also that of the first one, which the schema writes as 0.
    pub(super) fn seal(self) -> u64 {
        let Self { commits, fence, sequence, handles } = self;
        Place::new("store").number(commits).number(fence).number(sequence).number(handles).sum()
    }

    /// Of a store that was just made.
    pub(super) const NEW: Self = Self { commits: 0, fence: 0, sequence: 0, handles: 0 };
}
