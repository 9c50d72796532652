//! One transaction of the port, in statements. It runs inside a savepoint: when it fails, all it did is undone.

mod executions;
mod queues;
mod records;

use std::collections::{BTreeMap, BTreeSet};
use std::time::Duration;

use super::counters::Counters;
use super::lease;
use super::read::Head;
use super::session::{Session, Sql, SqlError};
use crate::clock::Timestamp;
use crate::ids::{InstanceId, LockToken};
use crate::providers::{CommitError, ErrorKind, ProviderError, Transaction, TransactionOp};

pub(super) const COMMIT: &str = "commit";

const NOTE: &str = "INSERT INTO commits (number, id) VALUES (?1, ?2) ON CONFLICT (id) DO NOTHING";
const FORGET: &str = "DELETE FROM commits WHERE number <= ?1";
/// How many transactions are known again when they are handed over once more.
const REMEMBERED: u64 = 64 * 1024;

/// Forgets the oldest transactions, beyond those that are remembered.
pub(super) fn forget_old(session: &mut dyn Session, commits: u64) -> Result<(), SqlError> {
    session.execute(FORGET, &[commits.saturating_sub(REMEMBERED).into()]).map(drop)
}

/// Whom the transactions of a group concern.
#[derive(Debug, Default)]
pub(super) struct Changes {
    /// Something was put into a queue of turns, or can be leased again.
    pub(super) turns: bool,
    /// Likewise for activities.
    pub(super) activities: bool,
    /// Instances whose record changed.
    pub(super) records: BTreeSet<InstanceId>,
    /// Instances of which everything was deleted, also what was damaged.
    pub(super) wiped: BTreeSet<InstanceId>,
}

impl Changes {
    pub(super) fn absorb(&mut self, later: Self) {
        self.turns |= later.turns;
        self.activities |= later.activities;
        self.records.extend(later.records);
        self.wiped.extend(later.wiped);
    }
}

/// See the module.
pub(super) struct Write<'a> {
    sql: Sql<'a>,
    counters: &'a mut Counters,
    now: Timestamp,
    fence: Option<LockToken>,
    /// Records that change, each written once at the end.
    records: BTreeMap<InstanceId, Head>,
    /// Instances whose queue of turns changes.
    queues: BTreeSet<InstanceId>,
    /// The lease ends with this transaction; what stays is held back until then.
    released: Option<Timestamp>,
    /// What stays of the messages of that lease was not handed out.
    given_back: bool,
    changes: Changes,
}

impl<'a> Write<'a> {
    /// Writes a transaction, or says why it cannot be kept. One that was kept before changes nothing.
    pub(super) fn run(
        session: &'a mut dyn Session,
        transaction: &Transaction,
        counters: &'a mut Counters,
        now: Timestamp,
    ) -> Result<Changes, CommitError> {
        let Transaction { fence, commit_id, ops } = transaction;
        let mut sql = Sql { session, operation: COMMIT };
        let id = commit_id.0.to_be_bytes();
        counters.commits += 1;
        if sql.execute(NOTE, &[counters.commits.into(), id.as_slice().into()])? == 0 {
            return Ok(Changes::default());
        }
        let (records, queues, changes) = (BTreeMap::new(), BTreeSet::new(), Changes::default());
        let fence = fence.clone();
        let mut write = Self { sql, counters, now, fence, records, queues, released: None, given_back: false, changes };
        write.check_fence()?;
        for op in ops {
            write.apply(op)?;
        }
        write.finish()
    }

    fn apply(&mut self, op: &TransactionOp) -> Result<(), CommitError> {
        match op {
            TransactionOp::CreateExecution { instance, execution_id } => self.create_execution(instance, *execution_id),
            TransactionOp::AppendHistory { instance, execution_id, first, events } => {
                self.append_history(instance, *execution_id, *first, events)
            }
            TransactionOp::EnqueueWork { queue, items } => self.enqueue(queue, items),
            TransactionOp::AckMessages { instance, messages } => self.ack_messages(instance, messages),
            TransactionOp::AckWork { token } => self.ack_work(token),
            TransactionOp::RetryWork { token, delay, data } => {
                let visible_at = self.now.saturating_add(*delay);
                self.retry_work(token, visible_at, data)
            }
            TransactionOp::ReleaseWork { token, delay, give_back_attempt } => {
                self.release_work(token, *delay, *give_back_attempt)
            }
            TransactionOp::CancelWork { queue, items } => self.cancel(queue, items),
            TransactionOp::PutMetadata { instance, entries } => self.put_metadata(instance, entries),
            TransactionOp::PutLabels { instance, labels } => self.put_labels(instance, labels),
            TransactionOp::PutKv { instance, entries } => self.put_entries(instance, entries),
            TransactionOp::DeleteExecution { instance, execution_id } => self.delete_execution(instance, *execution_id),
            TransactionOp::DeleteInstance { instance } => self.delete_instance(instance),
            TransactionOp::ReleaseLock { delay, give_back_attempt } => {
                self.release(delay.unwrap_or_default(), *give_back_attempt)
            }
        }
    }

    fn finish(mut self) -> Result<Changes, CommitError> {
        for (instance, head) in std::mem::take(&mut self.records) {
            self.write_record(&instance, head)?;
            self.changes.records.insert(instance);
        }
        if let Some((token, not_before)) = self.fence.take().zip(self.released) {
            if self.given_back {
                let granted_at = Timestamp::from_millis(token.granted_at_ms);
                lease::uncount_turn(&mut self.sql, &token.instance, granted_at)?;
            }
            lease::release(&mut self.sql, &token.instance, token.fence, not_before)?;
            self.queues.insert(token.instance);
            self.changes.turns = true;
        }
        for instance in std::mem::take(&mut self.queues) {
            lease::settle(&mut self.sql, &instance)?;
        }
        Ok(self.changes)
    }

    fn check_fence(&mut self) -> Result<(), CommitError> {
        let Some(token) = &self.fence else { return Ok(()) };
        let out = lease::find(&mut self.sql, token, self.now)?;
        if out.is_some_and(|lease| lease.activity.is_none()) {
            Ok(())
        } else {
            Err(CommitError::LeaseLost(token.clone()))
        }
    }

    /// The fence must be that of this instance.
    fn needs_fence_of(&self, instance: &InstanceId, op: &str) -> Result<(), CommitError> {
        if self.fence.as_ref().is_some_and(|fence| fence.instance == *instance) {
            return Ok(());
        }
        Err(invalid(instance, format!("`{op}` needs the lease of this instance as fence")))
    }

    fn release(&mut self, delay: Duration, give_back: bool) -> Result<(), CommitError> {
        if self.fence.is_none() {
            let message = "`ReleaseLock` needs a fence: the lease that it ends";
            return Err(ProviderError::new(ErrorKind::Invalid, COMMIT, message).into());
        }
        self.given_back |= give_back;
        self.released = Some(if delay.is_zero() { Timestamp::EPOCH } else { self.now.saturating_add(delay) });
        Ok(())
    }

    /// Ends a lease on an instance, if it is still out.
    fn end_turn(&mut self, instance: &InstanceId, fence: u64, not_before: Timestamp) -> Result<(), CommitError> {
        lease::end_turn(&mut self.sql, instance, fence, not_before)?;
        self.queues.insert(instance.clone());
        self.changes.turns = true;
        Ok(())
    }
}

fn invalid(instance: &InstanceId, message: String) -> CommitError {
    ProviderError::new(ErrorKind::Invalid, COMMIT, message).instance(instance).into()
}
