//! The port: what a provider is.
//!
//! A provider knows four things: opaque events in partitions (instance, execution), messages in queues with a time
//! from which they are visible, leases, and atomicity. It does not know what an event means, when an execution ends,
//! or what a status is: the runtime computes all of that and hands it over as values.

mod error;
mod filter;
mod groups;
mod kv;
mod labelled;
mod layers;
mod maintain;
mod record;
mod records;
mod request;
mod skills;
#[cfg(any(feature = "sled", feature = "sqlite"))]
mod space;
#[cfg(feature = "sqlite")]
mod sql;
mod transaction;
mod waiters;

use std::sync::Arc;
use std::time::Duration;

use async_trait::async_trait;
use bytes::Bytes;

pub use self::error::{CommitError, ErrorKind, OpenError, ProviderError};
pub use self::filter::{DamagedInstance, InstancePage, LabelFilter, PageRequest};
pub use self::groups::Groups;
pub use self::kv::{FsOptions, FsProvider, KvProvider, MemoryProvider};
#[cfg(feature = "sled")]
pub use self::kv::{SledOptions, SledProvider};
#[cfg(feature = "testing")]
pub use self::layers::{Fault, Faults, Faulty, ShiftingClock};
pub use self::layers::{Figures, Measured, Measures, Operation, Retrying, Snapshot};
pub use self::maintain::{Checkup, Finding, Maintain};
pub use self::records::{
    Capabilities, Durability, ExecutionInfo, InstanceMessages, InstanceRecord, KvPage, KvPageRequest, LeaseHolder,
    LeasedActivity, LeasedMessage, LeasedTurn, PassedOver, Renewal, Stats, StoredEvent, WaitingMessage,
};
pub use self::request::{ActivityRequest, OwnerId, TurnRequest};
pub use self::skills::Skills;
#[cfg(feature = "sqlite")]
pub use self::sql::{SqlProvider, SqliteOptions, SqliteProvider};
pub use self::transaction::{BatchResult, CommitId, NewMessage, Queue, Transaction, TransactionOp};
use crate::ids::{EventId, ExecutionId, InstanceId, LockToken};

/// Where instances are kept.
///
/// Every implementation must pass the conformance suite. What holds for all methods:
///
/// - what a method answers is durable, as far as the store's [`Durability`] goes: nothing is shown, handed out or
///   acknowledged before it is on disk;
/// - a future of a method may be dropped at any time; a transaction that was handed over may then still be kept;
/// - time is that of the store's own clock.
#[async_trait]
pub trait Provider: Send + Sync + 'static {
    /// Leases instances that have visible messages, the longest ready first, and hands over those messages.
    ///
    /// Waits up to `want.wait` until there is at least one. What `want.skills` are not enough for is passed over without
    /// being leased or counted, so that a worker that can do it gets it at once. With `want.instance` it leases that very instance at
    /// once if nobody has it, whether messages wait or not, and even if it does not exist yet; it answers with an
    /// empty list if another lease is out.
    ///
    /// # Errors
    /// [`ProviderError`] if the store cannot be read.
    async fn fetch_turns(&self, want: TurnRequest) -> Result<Vec<LeasedTurn>, ProviderError>;

    /// Instances that nobody has and whose visible messages `skills` are not enough for: the longest ready first, at most
    /// `limit`. They wait for another worker.
    ///
    /// # Errors
    /// [`ProviderError`] if the store cannot be read.
    async fn passed_over(&self, skills: &Skills, limit: usize) -> Result<Vec<PassedOver>, ProviderError>;

    /// Leases visible messages of the activity queue: first in, first out, or the instances by turns; see
    /// [`Capabilities::takes_turns`]. Waits up to `want.wait` for the first.
    ///
    /// # Errors
    /// [`ProviderError`] if the store cannot be read.
    async fn fetch_activities(&self, want: ActivityRequest) -> Result<Vec<LeasedActivity>, ProviderError>;

    /// Keeps all of the transaction, or none of it. The only way to write.
    ///
    /// A `commit_id` that was kept before is answered with its first answer, and writes nothing.
    ///
    /// # Errors
    /// [`CommitError`]; nothing of the transaction is kept then, except after [`ErrorKind::Ambiguous`], when the
    /// same transaction under the same id is to be handed over again.
    async fn atomic_batch(&self, batch: Transaction) -> Result<BatchResult, CommitError>;

    /// Makes leases last until `ttl` from now. Answers for each token in the order given.
    ///
    /// # Errors
    /// [`ProviderError`] if the store cannot be reached.
    async fn renew(&self, tokens: &[LockToken], ttl: Duration) -> Result<Vec<Renewal>, ProviderError>;

    /// What is kept of an instance, besides histories and messages.
    ///
    /// # Errors
    /// [`ProviderError`] if the store cannot be read.
    async fn instance(&self, instance: &InstanceId) -> Result<Option<InstanceRecord>, ProviderError>;

    /// As [`Provider::instance`], but waits up to `wait` until the record's revision is another than `seen`
    /// (0 for "it does not exist"), and answers with what there is then.
    ///
    /// # Errors
    /// [`ProviderError`] if the store cannot be read.
    async fn wait_for_change(
        &self,
        instance: &InstanceId,
        seen: u64,
        wait: Duration,
    ) -> Result<Option<InstanceRecord>, ProviderError>;

    /// Up to `limit` events of an execution from `from` on, in order, without gaps; fewer only at the end.
    ///
    /// # Errors
    /// [`ProviderError`] if the store cannot be read, or a record of it is damaged.
    async fn history(
        &self,
        instance: &InstanceId,
        execution_id: ExecutionId,
        from: EventId,
        limit: usize,
    ) -> Result<Vec<StoredEvent>, ProviderError>;

    /// Executions that have events, and the newest one: from `from` on, in order, at most `limit`.
    ///
    /// # Errors
    /// [`ProviderError`] if the store cannot be read, or a record of it is damaged.
    async fn executions(
        &self,
        instance: &InstanceId,
        from: ExecutionId,
        limit: usize,
    ) -> Result<Vec<ExecutionInfo>, ProviderError>;

    /// One value of an instance's keys and values.
    ///
    /// # Errors
    /// [`ProviderError`] if the store cannot be read, or the record is damaged.
    async fn kv(&self, instance: &InstanceId, key: &str) -> Result<Option<Bytes>, ProviderError>;

    /// A page of an instance's keys and values, ordered by key.
    ///
    /// # Errors
    /// [`ProviderError`] if the store cannot be read, or a record of the page is damaged.
    async fn kv_page(&self, instance: &InstanceId, page: KvPageRequest) -> Result<KvPage, ProviderError>;

    /// What waits in both queues of an instance, at most `limit` messages, and who has what.
    ///
    /// # Errors
    /// [`ProviderError`] if the store cannot be read. A damaged message is left out, and named in `parked`.
    async fn messages(&self, instance: &InstanceId, limit: usize) -> Result<InstanceMessages, ProviderError>;

    /// A page of instances, ordered by id. One whose record is damaged does not hide the others: it stands in `damaged`.
    ///
    /// # Errors
    /// [`ProviderError`] if the store cannot be read.
    async fn instances(&self, page: PageRequest) -> Result<InstancePage, ProviderError>;

    /// How much is kept and how much waits.
    ///
    /// # Errors
    /// [`ProviderError`] if the store cannot be read.
    async fn stats(&self) -> Result<Stats, ProviderError>;

    /// How transactions were written together since the store was opened; nothing, if this store does not count them.
    fn groups(&self) -> Groups {
        Groups::default()
    }

    /// What this store can do and promises.
    fn capabilities(&self) -> Capabilities;

    /// Finishes what was handed over and lets go of files, connections and threads. Later calls fail with
    /// [`ErrorKind::Closed`]. Closing twice is fine.
    async fn close(&self);
}

#[async_trait]
impl<P: Provider + ?Sized> Provider for Arc<P> {
    async fn fetch_turns(&self, want: TurnRequest) -> Result<Vec<LeasedTurn>, ProviderError> {
        (**self).fetch_turns(want).await
    }

    async fn passed_over(&self, skills: &Skills, limit: usize) -> Result<Vec<PassedOver>, ProviderError> {
        (**self).passed_over(skills, limit).await
    }

    async fn fetch_activities(&self, want: ActivityRequest) -> Result<Vec<LeasedActivity>, ProviderError> {
        (**self).fetch_activities(want).await
    }

    async fn atomic_batch(&self, batch: Transaction) -> Result<BatchResult, CommitError> {
        (**self).atomic_batch(batch).await
    }

    async fn renew(&self, tokens: &[LockToken], ttl: Duration) -> Result<Vec<Renewal>, ProviderError> {
        (**self).renew(tokens, ttl).await
    }

    async fn instance(&self, instance: &InstanceId) -> Result<Option<InstanceRecord>, ProviderError> {
        (**self).instance(instance).await
    }

    async fn wait_for_change(
        &self,
        instance: &InstanceId,
        seen: u64,
        wait: Duration,
    ) -> Result<Option<InstanceRecord>, ProviderError> {
        (**self).wait_for_change(instance, seen, wait).await
    }

    async fn history(
        &self,
        instance: &InstanceId,
        execution_id: ExecutionId,
        from: EventId,
        limit: usize,
    ) -> Result<Vec<StoredEvent>, ProviderError> {
        (**self).history(instance, execution_id, from, limit).await
    }

    async fn executions(
        &self,
        instance: &InstanceId,
        from: ExecutionId,
        limit: usize,
    ) -> Result<Vec<ExecutionInfo>, ProviderError> {
        (**self).executions(instance, from, limit).await
    }

    async fn kv(&self, instance: &InstanceId, key: &str) -> Result<Option<Bytes>, ProviderError> {
        (**self).kv(instance, key).await
    }

    async fn kv_page(&self, instance: &InstanceId, page: KvPageRequest) -> Result<KvPage, ProviderError> {
        (**self).kv_page(instance, page).await
    }

    async fn messages(&self, instance: &InstanceId, limit: usize) -> Result<InstanceMessages, ProviderError> {
        (**self).messages(instance, limit).await
    }

    async fn instances(&self, page: PageRequest) -> Result<InstancePage, ProviderError> {
        (**self).instances(page).await
    }

    async fn stats(&self) -> Result<Stats, ProviderError> {
        (**self).stats().await
    }

    fn groups(&self) -> Groups {
        (**self).groups()
    }

    fn capabilities(&self) -> Capabilities {
        (**self).capabilities()
    }

    async fn close(&self) {
        (**self).close().await;
    }
}
