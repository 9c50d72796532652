//! What layers share: the calls of the port by name, and the one place where a layer passes each of them on.

use std::fmt;

use crate::providers::{CommitError, ErrorKind, ProviderError};

/// A call of the port that may fail.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
#[non_exhaustive]
pub enum Operation {
    /// [`Provider::fetch_turns`](crate::Provider::fetch_turns)
    FetchTurns,
    /// [`Provider::passed_over`](crate::Provider::passed_over)
    ListPassedOver,
    /// [`Provider::fetch_activities`](crate::Provider::fetch_activities)
    FetchActivities,
    /// [`Provider::atomic_batch`](crate::Provider::atomic_batch)
    Commit,
    /// [`Provider::renew`](crate::Provider::renew)
    Renew,
    /// [`Provider::instance`](crate::Provider::instance)
    ReadInstance,
    /// [`Provider::wait_for_change`](crate::Provider::wait_for_change)
    WaitForChange,
    /// [`Provider::history`](crate::Provider::history)
    ReadHistory,
    /// [`Provider::executions`](crate::Provider::executions)
    ListExecutions,
    /// [`Provider::kv`](crate::Provider::kv)
    ReadValue,
    /// [`Provider::kv_page`](crate::Provider::kv_page)
    ReadValues,
    /// [`Provider::messages`](crate::Provider::messages)
    ListMessages,
    /// [`Provider::instances`](crate::Provider::instances)
    ListInstances,
    /// [`Provider::stats`](crate::Provider::stats)
    Count,
}

impl Operation {
    /// All of them.
    pub const ALL: &'static [Self] = &[
        Self::FetchTurns,
        Self::ListPassedOver,
        Self::FetchActivities,
        Self::Commit,
        Self::Renew,
        Self::ReadInstance,
        Self::WaitForChange,
        Self::ReadHistory,
        Self::ListExecutions,
        Self::ReadValue,
        Self::ReadValues,
        Self::ListMessages,
        Self::ListInstances,
        Self::Count,
    ];

    /// Whether it hands out leases.
    #[cfg(feature = "testing")]
    pub(super) const fn leases(self) -> bool {
        matches!(self, Self::FetchTurns | Self::FetchActivities)
    }

    /// Whether it changes nothing.
    #[cfg(feature = "testing")]
    pub(super) const fn is_read(self) -> bool {
        !self.leases() && !matches!(self, Self::Commit | Self::Renew)
    }

    /// What errors call it: `commit`, `read history` …
    pub const fn name(self) -> &'static str {
        match self {
            Self::FetchTurns => "fetch turns",
            Self::ListPassedOver => "list what is passed over",
            Self::FetchActivities => "fetch activities",
            Self::Commit => "commit",
            Self::Renew => "renew",
            Self::ReadInstance => "read instance",
            Self::WaitForChange => "wait for change",
            Self::ReadHistory => "read history",
            Self::ListExecutions => "list executions",
            Self::ReadValue => "read value",
            Self::ReadValues => "read values",
            Self::ListMessages => "list messages",
            Self::ListInstances => "list instances",
            Self::Count => "count",
        }
    }
}

impl fmt::Display for Operation {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.pad(self.name())
    }
}

/// What a layer looks at in an error.
pub(super) trait Failure: From<ProviderError> + fmt::Display + Send {
    /// What failed in the store; `None` for the answer of a store that works: a lease is lost, a rule is broken.
    fn of_store(&self) -> Option<&ProviderError>;

    /// Whether the same call may succeed.
    fn is_transient(&self) -> bool {
        self.of_store().is_some_and(ProviderError::is_transient)
    }

    /// Whether what was handed over may have been kept.
    fn is_ambiguous(&self) -> bool {
        self.of_store().is_some_and(|error| error.kind() == ErrorKind::Ambiguous)
    }
}

impl Failure for ProviderError {
    fn of_store(&self) -> Option<&ProviderError> {
        Some(self)
    }
}

impl Failure for CommitError {
    fn of_store(&self) -> Option<&ProviderError> {
        match self {
            Self::Provider(error) => Some(error),
            _ => None,
        }
    }
}

/// Makes a provider of a layer that has `store` and `around(operation, call)`. `$again` is how a call takes its argument:
/// as it is, for a layer that calls once, or a copy of it, for one that may call more than once.
macro_rules! provider_around {
    ($layer:ident, |$value:ident| $again:expr) => {
        #[async_trait::async_trait]
        impl<P: Provider> Provider for $layer<P> {
            async fn fetch_turns(&self, $value: TurnRequest) -> Result<Vec<LeasedTurn>, ProviderError> {
                self.around(Operation::FetchTurns, || self.store.fetch_turns($again)).await
            }

            async fn passed_over(&self, skills: &Skills, limit: usize) -> Result<Vec<PassedOver>, ProviderError> {
                self.around(Operation::ListPassedOver, || self.store.passed_over(skills, limit)).await
            }

            async fn fetch_activities(&self, $value: ActivityRequest) -> Result<Vec<LeasedActivity>, ProviderError> {
                self.around(Operation::FetchActivities, || self.store.fetch_activities($again)).await
            }

            async fn atomic_batch(&self, $value: Transaction) -> Result<BatchResult, CommitError> {
                self.around(Operation::Commit, || self.store.atomic_batch($again)).await
            }

            async fn renew(&self, tokens: &[LockToken], ttl: Duration) -> Result<Vec<Renewal>, ProviderError> {
                self.around(Operation::Renew, || self.store.renew(tokens, ttl)).await
            }

            async fn instance(&self, instance: &InstanceId) -> Result<Option<InstanceRecord>, ProviderError> {
                self.around(Operation::ReadInstance, || self.store.instance(instance)).await
            }

            async fn wait_for_change(
                &self,
                instance: &InstanceId,
                seen: u64,
                wait: Duration,
            ) -> Result<Option<InstanceRecord>, ProviderError> {
                self.around(Operation::WaitForChange, || self.store.wait_for_change(instance, seen, wait)).await
            }

            async fn history(
                &self,
                instance: &InstanceId,
                execution_id: ExecutionId,
                from: EventId,
                limit: usize,
            ) -> Result<Vec<StoredEvent>, ProviderError> {
                let read = || self.store.history(instance, execution_id, from, limit);
                self.around(Operation::ReadHistory, read).await
            }

            async fn executions(
                &self,
                instance: &InstanceId,
                from: ExecutionId,
                limit: usize,
            ) -> Result<Vec<ExecutionInfo>, ProviderError> {
                self.around(Operation::ListExecutions, || self.store.executions(instance, from, limit)).await
            }

            async fn kv(&self, instance: &InstanceId, key: &str) -> Result<Option<Bytes>, ProviderError> {
                self.around(Operation::ReadValue, || self.store.kv(instance, key)).await
            }

            async fn kv_page(&self, instance: &InstanceId, $value: KvPageRequest) -> Result<KvPage, ProviderError> {
                self.around(Operation::ReadValues, || self.store.kv_page(instance, $again)).await
            }

            async fn messages(&self, instance: &InstanceId, limit: usize) -> Result<InstanceMessages, ProviderError> {
                self.around(Operation::ListMessages, || self.store.messages(instance, limit)).await
            }

            async fn instances(&self, $value: PageRequest) -> Result<InstancePage, ProviderError> {
                self.around(Operation::ListInstances, || self.store.instances($again)).await
            }

            async fn stats(&self) -> Result<Stats, ProviderError> {
                self.around(Operation::Count, || self.store.stats()).await
            }

            fn groups(&self) -> Groups {
                self.store.groups()
            }

            fn capabilities(&self) -> Capabilities {
                self.store.capabilities()
            }

            async fn close(&self) {
                self.store.close().await;
            }
        }
    };
}

pub(super) use provider_around;

/// What a layer that is made a provider needs to name.
pub(super) mod port {
    pub(in super::super) use std::time::Duration;

    pub(in super::super) use bytes::Bytes;

    pub(in super::super) use crate::ids::{EventId, ExecutionId, InstanceId, LockToken};
    pub(in super::super) use crate::providers::{
        ActivityRequest, BatchResult, Capabilities, CommitError, ExecutionInfo, Groups, InstanceMessages, InstancePage,
        InstanceRecord, KvPage, KvPageRequest, LeasedActivity, LeasedTurn, PageRequest, PassedOver, Provider,
        ProviderError, Renewal, Skills, Stats, StoredEvent, Transaction, TurnRequest,
    };
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_operation_has_a_name_of_its_own() {
        let names: std::collections::BTreeSet<_> = Operation::ALL.iter().map(|operation| operation.name()).collect();
        assert_eq!(names.len(), Operation::ALL.len());
    }
}
