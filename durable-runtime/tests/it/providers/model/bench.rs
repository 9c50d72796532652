//! A store and the model side by side, and what has been done to both.

use std::cell::Cell;
use std::collections::BTreeSet;
use std::path::Path;
use std::sync::Arc;
use std::time::Duration;

use durable_runtime::providers::{
    ActivityRequest, CommitId, KvPageRequest, OwnerId, PageRequest, Provider, Stats, Transaction, TransactionOp,
    TurnRequest,
};
use durable_runtime::testing::{ManualClock, Model};
use durable_runtime::{Clock, ExecutionId, InstanceId, LockToken, Timestamp};
use proptest::test_runner::TestCaseError;
use tempfile::{TempDir, tempdir};
use tokio::runtime::Runtime;

use super::compare::{same, same_answer, same_store};
use super::resolve::{self, INSTANCES, instance};
use super::steps::{Op, Step};

/// Opens a store in a folder.
pub(super) type Open = dyn Fn(ManualClock, &Path) -> Arc<dyn Provider>;

/// Longer than anything is held back that does not outlive a restart.
const RESTART: Duration = Duration::from_secs(100);

/// See the module.
pub(super) struct Bench<'a> {
    runtime: Runtime,
    pub(super) store: Arc<dyn Provider>,
    open: &'a Open,
    clock: ManualClock,
    folder: TempDir,
    commits: Cell<u128>,
}

/// What belongs to one case.
#[derive(Default)]
pub(super) struct Case {
    pub(super) model: Model,
    /// Leases that were granted, by the model and by the store.
    pub(super) leases: Vec<(LockToken, LockToken)>,
    /// Transactions that were handed over.
    handed_over: Vec<(Transaction, Transaction)>,
    /// How often a message was handed out is remembered as far as the store does.
    restarted: bool,
}

impl<'a> Bench<'a> {
    pub(super) fn new(open: &'a Open) -> Self {
        let (clock, folder) = (ManualClock::new(), tempdir().unwrap());
        let runtime = tokio::runtime::Builder::new_current_thread().build().unwrap();
        let store = open(clock.clone(), folder.path());
        Self { runtime, store, open, clock, folder, commits: Cell::new(0) }
    }

    /// Makes each step with both, compares, and leaves the store empty.
    pub(super) fn run(&mut self, steps: Vec<Step>) -> Result<(), TestCaseError> {
        let mut case = Case::default();
        if self.store.capabilities().takes_turns {
            case.model = Model::that_takes_turns();
        }
        for (number, step) in steps.iter().enumerate() {
            let done = self.step(&mut case, step).and_then(|()| self.compare(&mut case, step));
            done.map_err(|error| TestCaseError::fail(format!("at step {number}, {step:?}: {error}")))?;
        }
        self.clean(&mut case)
    }

    fn now(&self) -> Timestamp {
        self.clock.now()
    }

    fn step(&mut self, case: &mut Case, step: &Step) -> Result<(), TestCaseError> {
        match step {
            Step::Commit { fence, ops } => {
                self.commits.set(self.commits.get() + 1);
                let transactions = resolve::transaction(case, fence, ops, CommitId(self.commits.get()), self.now());
                case.handed_over.push(transactions.clone());
                self.commit(case, transactions)
            }
            Step::Repeat(at) => match case.handed_over.iter().rev().nth(*at).cloned() {
                Some(transactions) => self.commit(case, transactions),
                None => Ok(()),
            },
            Step::FetchTurns { owner: of, max, ttl, instance: one, skills } => {
                let (owner, ttl, instance) = (owner(*of), Duration::from_millis(*ttl), one.map(instance));
                let skills = skills.map(|bits| Arc::new(resolve::skills(bits)));
                self.fetch_turns(case, TurnRequest { owner, max: *max, ttl, wait: Duration::ZERO, instance, skills })
            }
            Step::PassedOver { skills, limit } => {
                let skills = resolve::skills(*skills);
                let want = case.model.passed_over(&skills, *limit, self.now());
                let got = self.runtime.block_on(self.store.passed_over(&skills, *limit)).map_err(failed)?;
                same("what is passed over", &want, &got)
            }
            Step::FetchActivities { owner: of, max, ttl, topics, tags, session } => {
                let (owner, ttl, max) = (owner(*of), Duration::from_millis(*ttl), *max);
                let (topics, tags) = (resolve::topics(*topics), resolve::tags(*tags));
                let (session_ttl, wait) = (session.map(Duration::from_millis), Duration::ZERO);
                self.fetch_activities(case, ActivityRequest { owner, max, ttl, wait, topics, tags, session_ttl })
            }
            Step::Renew { leases, ttl } => self.renew(case, leases, Duration::from_millis(*ttl)),
            Step::Advance(millis) => {
                self.clock.advance(Duration::from_millis(*millis));
                Ok(())
            }
            Step::List { after, limit, label, filter } => {
                self.list(case, &resolve::page(*after, *limit, *label, *filter))
            }
            Step::Look { instance: of, limit, prefix, after } => {
                self.look(case, &instance(*of), *limit, resolve::values(*prefix, *after, *limit))
            }
            Step::Restart => {
                self.restart(case);
                Ok(())
            }
        }
    }

    fn commit(&self, case: &mut Case, (model, store): (Transaction, Transaction)) -> Result<(), TestCaseError> {
        let want = case.model.commit(&model, self.now());
        let got = self.runtime.block_on(self.store.atomic_batch(store));
        same_answer(&case.leases, &want, &got)
    }

    fn fetch_turns(&self, case: &mut Case, want: TurnRequest) -> Result<(), TestCaseError> {
        let wanted = case.model.fetch_turns(&want, self.now());
        let got = self.runtime.block_on(self.store.fetch_turns(want)).map_err(failed)?;
        same("instances", &wanted.len(), &got.len())?;
        for (mut want, mut got) in wanted.into_iter().zip(got) {
            case.granted(&want.lock_token, &got.lock_token)?;
            got.lock_token = want.lock_token.clone();
            if case.restarted {
                want.attempt = got.attempt;
            }
            same("turn", &format!("{want:?}"), &format!("{got:?}"))?;
        }
        Ok(())
    }

    fn fetch_activities(&self, case: &mut Case, want: ActivityRequest) -> Result<(), TestCaseError> {
        let wanted = case.model.fetch_activities(&want, self.now());
        let got = self.runtime.block_on(self.store.fetch_activities(want)).map_err(failed)?;
        same("activities", &wanted.len(), &got.len())?;
        for (mut want, mut got) in wanted.into_iter().zip(got) {
            case.granted(&want.lock_token, &got.lock_token)?;
            got.lock_token = want.lock_token.clone();
            if case.restarted {
                want.attempt = got.attempt;
            }
            same("activity", &format!("{want:?}"), &format!("{got:?}"))?;
        }
        Ok(())
    }

    fn renew(&self, case: &mut Case, leases: &[usize], ttl: Duration) -> Result<(), TestCaseError> {
        let picked = leases.iter().filter_map(|at| case.leases.iter().rev().nth(*at).cloned());
        let (model, store): (Vec<_>, Vec<_>) = picked.unzip();
        let want = case.model.renew(&model, ttl, self.now());
        let got = self.runtime.block_on(self.store.renew(&store, ttl)).map_err(failed)?;
        same("renewals", &want, &got)
    }

    fn list(&self, case: &Case, page: &PageRequest) -> Result<(), TestCaseError> {
        let want = case.model.instances(page);
        let got = self.runtime.block_on(self.store.instances(page.clone())).map_err(failed)?;
        same("page", &want.instances, &got.instances)
    }

    fn look(
        &self,
        case: &mut Case,
        instance: &InstanceId,
        limit: usize,
        values: KvPageRequest,
    ) -> Result<(), TestCaseError> {
        let want = case.model.kv_page(instance, &values).entries;
        let got = self.runtime.block_on(self.store.kv_page(instance, values)).map_err(failed)?;
        same("values", &want, &got.entries)?;
        if let Some((key, value)) = want.first() {
            let got = self.runtime.block_on(self.store.kv(instance, key)).map_err(failed)?;
            same("value", &Some(value.clone()), &got)?;
        }
        let want = case.model.executions(instance, ExecutionId::FIRST, limit);
        let got = self.runtime.block_on(self.store.executions(instance, ExecutionId::FIRST, limit)).map_err(failed)?;
        same("executions", &want, &got)?;
        let want = case.model.messages(instance, limit, self.now());
        let mut got = self.runtime.block_on(self.store.messages(instance, limit)).map_err(failed)?;
        let holders = got.messages.iter_mut().filter_map(|message| message.lease.as_mut()).chain(&mut got.lease);
        for holder in holders {
            // By the fence of the model, which has one of its own for each lease.
            let known = case.leases.iter().find(|(_, store)| *store == holder.lock_token);
            holder.lock_token = known.map_or(holder.lock_token.clone(), |(model, _)| model.clone());
        }
        if case.restarted {
            got.messages.iter_mut().zip(&want.messages).for_each(|(got, want)| got.attempt = want.attempt);
        }
        same("what waits", &format!("{want:?}"), &format!("{got:?}"))
    }

    fn restart(&mut self, case: &mut Case) {
        if !self.store.capabilities().persistent {
            return;
        }
        self.clock.advance(RESTART);
        self.runtime.block_on(self.store.close());
        self.store = (self.open)(self.clock.clone(), self.folder.path());
        case.model.restart();
        case.restarted = true;
    }

    fn compare(&self, case: &mut Case, step: &Step) -> Result<(), TestCaseError> {
        let changed = match step {
            Step::Commit { ops, .. } => Some(ops.iter().filter_map(Op::history).map(instance).collect()),
            Step::Repeat(_) | Step::Restart => Some(INSTANCES.map(instance).collect()),
            _ => None,
        };
        self.compare_all(case, changed)
    }

    fn compare_all(&self, case: &mut Case, changed: Option<BTreeSet<InstanceId>>) -> Result<(), TestCaseError> {
        let now = self.now();
        self.runtime.block_on(same_store(&mut case.model, &*self.store, now, changed.as_ref()))
    }

    /// All instances are deleted, and nothing is left of them.
    fn clean(&self, case: &mut Case) -> Result<(), TestCaseError> {
        self.compare_all(case, Some(INSTANCES.map(instance).collect()))?;
        // Sessions do not belong to instances: they end by themselves, and the next case begins with none.
        self.clock.advance(RESTART);
        self.commits.set(self.commits.get() + 1);
        let ops = INSTANCES.map(|name| TransactionOp::DeleteInstance { instance: instance(name) });
        let delete = Transaction { fence: None, commit_id: CommitId(self.commits.get()), ops: ops.collect() };
        self.commit(case, (delete.clone(), delete))?;
        let left = self.runtime.block_on(self.store.stats()).map_err(failed)?;
        same("what is left", &Stats::default(), &left)?;
        self.compare_all(case, Some(INSTANCES.map(instance).collect()))
    }
}

impl Case {
    fn granted(&mut self, want: &LockToken, got: &LockToken) -> Result<(), TestCaseError> {
        same("token", want, &LockToken { fence: want.fence, ..got.clone() })?;
        let newest = self.leases.last().map_or(0, |(_, last)| last.fence);
        same("fences grow", &true, &(newest < got.fence))?;
        self.leases.push((want.clone(), got.clone()));
        Ok(())
    }
}

fn owner(number: usize) -> OwnerId {
    OwnerId::new(["one", "two"][number])
}

pub(super) fn failed(error: impl std::fmt::Display) -> TestCaseError {
    TestCaseError::fail(format!("the store failed: {error}"))
}
