//! A provider under check, and what the checks do with it.

use std::io::Write as _;
use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};
use std::time::Duration;

use futures_util::future::LocalBoxFuture;

use super::kit::*;
use crate::clock::{Clock, Timestamp};
use crate::ids::{EventId, ExecutionId, LockToken};
use crate::providers::{
    BatchResult, CommitError, CommitId, InstanceRecord, LeasedActivity, LeasedTurn, PageRequest, Provider, Renewal,
    Stats, Transaction, TransactionOp, TurnRequest,
};
use crate::testing::ManualClock;

/// By the clock of this machine, however busy it is.
const PATIENCE: Duration = Duration::from_secs(300);

/// A provider under check, and the clock it goes by.
pub struct Subject {
    /// The provider: empty, and used by nobody else.
    pub provider: Arc<dyn Provider>,
    /// Its clock.
    pub clock: ManualClock,
    commits: AtomicU64,
    reopen: Option<Box<dyn Reopen>>,
}

impl std::fmt::Debug for Subject {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Subject").field("provider", &self.provider.capabilities().name).finish_non_exhaustive()
    }
}

impl Subject {
    /// Takes an empty provider that goes by this clock.
    pub fn new(provider: impl Provider, clock: ManualClock) -> Self {
        Self { provider: Arc::new(provider), clock, commits: AtomicU64::new(0), reopen: None }
    }

    /// Says how the provider is opened again after it was closed: from what was kept, which is handed over and back.
    #[must_use]
    pub fn reopened_by<K, F, P, O>(mut self, kept: K, open: F) -> Self
    where
        K: 'static,
        F: Fn(ManualClock, K) -> O + 'static,
        P: Provider,
        O: Future<Output = (P, K)> + 'static,
    {
        self.reopen = Some(Box::new(Kept { kept, open }));
        self
    }

    /// Closes the provider and opens it again; answers `false`, loudly, if nothing outlives it.
    pub(super) async fn restart(&mut self) -> bool {
        let capabilities = self.provider.capabilities();
        let Some(reopen) = self.reopen.take() else {
            assert!(!capabilities.persistent, "a persistent store must say how it is opened again: `reopen: ..`");
            let check = std::thread::current().name().unwrap_or("this check").to_owned();
            does_not_apply(capabilities.name, &check, "nothing outlives the store");
            return false;
        };
        self.provider.close().await;
        let (provider, reopen) = reopen.reopen(self.clock.clone()).await;
        (self.provider, self.reopen) = (provider, Some(reopen));
        true
    }

    /// Whether the instances take turns where activities wait; answers `false` loudly.
    pub(super) fn takes_turns(&self) -> bool {
        let capabilities = self.provider.capabilities();
        if !capabilities.takes_turns {
            let check = std::thread::current().name().unwrap_or("this check").to_owned();
            does_not_apply(
                capabilities.name,
                &check,
                "its instances take no turns, activities are first in, first out",
            );
        }
        capabilities.takes_turns
    }

    pub(super) fn transaction(&self, fence: Option<&LockToken>, ops: Vec<TransactionOp>) -> Transaction {
        let number = self.commits.fetch_add(1, Ordering::Relaxed);
        Transaction { fence: fence.cloned(), commit_id: CommitId(u128::from(number) + 1), ops }
    }

    pub(super) async fn try_commit(
        &self,
        fence: Option<&LockToken>,
        ops: Vec<TransactionOp>,
    ) -> Result<BatchResult, CommitError> {
        self.provider.atomic_batch(self.transaction(fence, ops)).await
    }

    pub(super) async fn commit(&self, fence: Option<&LockToken>, ops: Vec<TransactionOp>) {
        self.try_commit(fence, ops).await.unwrap();
    }

    /// Why a transaction is not kept.
    pub(super) async fn refused(&self, fence: Option<&LockToken>, ops: Vec<TransactionOp>) -> CommitError {
        self.try_commit(fence, ops).await.unwrap_err()
    }

    /// All that can be seen without leasing anything: records, histories, numbers.
    pub(super) async fn seen(&self) -> String {
        let page = PageRequest { limit: 10_000, ..PageRequest::default() };
        let records = self.provider.instances(page).await.unwrap().instances;
        let mut seen = format!("{:?}\n", self.stats().await);
        for record in records {
            seen.push_str(&format!("{record:?}\n"));
            for execution in 1..=record.execution_id.0 {
                let events =
                    self.provider.history(&record.instance, ExecutionId(execution), EventId::FIRST, usize::MAX);
                seen.push_str(&format!("  {execution}: {:?}\n", events.await.unwrap()));
            }
        }
        seen
    }

    pub(super) async fn stats(&self) -> Stats {
        self.provider.stats().await.unwrap()
    }

    pub(super) async fn record(&self, instance: &str) -> InstanceRecord {
        self.provider.instance(&id(instance)).await.unwrap().unwrap()
    }

    /// Starts an instance: its first execution, and a message.
    pub(super) async fn start(&self, instance: &str) {
        self.commit(None, vec![create(instance, 1), send(instance, "start")]).await;
    }

    pub(super) async fn turns(&self, max: usize) -> Vec<LeasedTurn> {
        self.provider.fetch_turns(any_turn(max)).await.unwrap()
    }

    /// The one turn that can be had.
    pub(super) async fn turn(&self) -> LeasedTurn {
        only(self.turns(10).await)
    }

    pub(super) async fn turns_of(&self, instance: &str) -> Vec<LeasedTurn> {
        let want = TurnRequest { instance: Some(id(instance)), ..any_turn(1) };
        self.provider.fetch_turns(want).await.unwrap()
    }

    pub(super) async fn turn_of(&self, instance: &str) -> LeasedTurn {
        only(self.turns_of(instance).await)
    }

    pub(super) async fn activities(&self, max: usize) -> Vec<LeasedActivity> {
        self.provider.fetch_activities(any_activity(max)).await.unwrap()
    }

    /// The one activity that can be had.
    pub(super) async fn activity(&self) -> LeasedActivity {
        only(self.activities(10).await)
    }

    pub(super) async fn renew(&self, token: &LockToken) -> Renewal {
        only(self.provider.renew(std::slice::from_ref(token), TTL).await.unwrap())
    }

    /// The events of an execution as text.
    pub(super) async fn history(&self, instance: &str, execution: u64) -> Vec<String> {
        let events = self.provider.history(&id(instance), ExecutionId(execution), EventId::FIRST, usize::MAX).await;
        events.unwrap().into_iter().map(|event| text(&event.data)).collect()
    }

    pub(super) async fn exists(&self, instance: &str) -> bool {
        self.provider.instance(&id(instance)).await.unwrap().is_some()
    }

    pub(super) async fn revision(&self, instance: &str) -> u64 {
        self.provider.instance(&id(instance)).await.unwrap().map_or(0, |record| record.revision)
    }

    pub(super) async fn listed(&self, page: PageRequest) -> Vec<String> {
        let page = self.provider.instances(page).await.unwrap();
        page.instances.into_iter().map(|record| record.instance.to_string()).collect()
    }

    pub(super) fn in_time(&self, seconds: u64) -> Timestamp {
        self.clock.now().saturating_add(Duration::from_secs(seconds))
    }
}

type Reopened = (Arc<dyn Provider>, Box<dyn Reopen>);

trait Reopen {
    fn reopen(self: Box<Self>, clock: ManualClock) -> LocalBoxFuture<'static, Reopened>;
}

struct Kept<K, F> {
    kept: K,
    open: F,
}

impl<K, F, P, O> Reopen for Kept<K, F>
where
    K: 'static,
    F: Fn(ManualClock, K) -> O + 'static,
    P: Provider,
    O: Future<Output = (P, K)> + 'static,
{
    fn reopen(self: Box<Self>, clock: ManualClock) -> LocalBoxFuture<'static, Reopened> {
        let Self { kept, open } = *self;
        Box::pin(async move {
            let (provider, kept) = open(clock, kept).await;
            (Arc::new(provider) as Arc<dyn Provider>, Box::new(Self { kept, open }) as Box<dyn Reopen>)
        })
    }
}

/// Says that a check was not made, past the capture of output: a check that does not apply is never silent.
fn does_not_apply(store: &str, check: &str, why: &str) {
    let _closed = writeln!(std::io::stderr(), "{store}: {check} does not apply: {why}");
}

/// Runs a check. None takes long by the clock of this machine: one that does waits for what does not come.
pub async fn in_time(check: impl Future<Output = ()>) {
    let checked = tokio::time::timeout(PATIENCE, check).await;
    assert!(
        checked.is_ok(),
        "the check waits for something that does not come: a lost wake-up, or a lease that is stuck"
    );
}
