//! Whether the store says what the model says.

use std::collections::BTreeSet;
use std::fmt::Debug;

use durable_runtime::providers::{BatchResult, CommitError, PageRequest, Provider};
use durable_runtime::testing::Model;
use durable_runtime::{EventId, ExecutionId, InstanceId, LockToken, Timestamp};
use proptest::test_runner::TestCaseError;

use super::bench::failed;
use super::resolve::INSTANCES;

pub(super) fn same<T: PartialEq + Debug>(what: &str, want: &T, got: &T) -> Result<(), TestCaseError> {
    if want == got {
        return Ok(());
    }
    Err(TestCaseError::fail(format!("{what}: the model says {want:?}, the store says {got:?}")))
}

/// Tokens are those of the model and of the store for one lease; of errors of the store the kind counts.
pub(super) fn same_answer(
    leases: &[(LockToken, LockToken)],
    want: &Result<BatchResult, CommitError>,
    got: &Result<BatchResult, CommitError>,
) -> Result<(), TestCaseError> {
    let text = |answer: &Result<BatchResult, CommitError>| match answer {
        Ok(kept) => format!("kept {}", kept.commit_id),
        Err(CommitError::LeaseLost(token)) => format!("lease lost: {}", of_store(leases, token)),
        Err(CommitError::WorkGone(token)) => format!("work gone: {}", of_store(leases, token)),
        Err(CommitError::Provider(error)) => format!("{:?}", error.kind()),
        Err(other) => format!("{other:?}"),
    };
    same("transaction", &text(want), &text(got))
}

/// Forged ones differ in more than the fence, so that is left out.
fn of_store(leases: &[(LockToken, LockToken)], token: &LockToken) -> String {
    let known = leases.iter().position(|(model, store)| model == token || store == token);
    format!("{known:?} {} {} {}", token.instance, token.execution_id, token.granted_at_ms)
}

/// The numbers; and after what may have changed them, all records, and all histories of these instances.
pub(super) async fn same_store(
    model: &mut Model,
    store: &dyn Provider,
    now: Timestamp,
    changed: Option<&BTreeSet<InstanceId>>,
) -> Result<(), TestCaseError> {
    same("numbers", &model.stats(now), &store.stats().await.map_err(failed)?)?;
    let Some(changed) = changed else { return Ok(()) };
    let all = PageRequest { limit: INSTANCES.end + 1, ..PageRequest::default() };
    same("records", &model.instances(&all).instances, &store.instances(all).await.map_err(failed)?.instances)?;
    for instance in changed {
        let newest = model.instance(instance).map_or(0, |record| record.execution_id.0);
        // One more than there are: there must be none.
        for execution in (1..=newest + 1).map(ExecutionId) {
            let want = model.history(instance, execution, EventId::FIRST, usize::MAX);
            let got = store.history(instance, execution, EventId::FIRST, usize::MAX).await.map_err(failed)?;
            same("history", &want, &got)?;
        }
    }
    Ok(())
}
