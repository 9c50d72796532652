//! Layers around a store: what they do, and that what stands behind them is still a store that passes every check.

use std::sync::{Arc, Mutex};
use std::time::Duration;

use durable_runtime::providers::{
    CommitError, CommitId, ErrorKind, Fault, Faults, Faulty, Figures, Measured, MemoryProvider, Operation, OwnerId,
    Provider, Retrying, ShiftingClock, Transaction, TransactionOp, TurnRequest,
};
use durable_runtime::testing::{ManualClock, conformance};
use durable_runtime::{Clock, ExecutionId, InstanceId, RetryPolicy, Timestamp};
use futures_util::FutureExt;

conformance::suite!(measured, |clock| async { (Measured::new(MemoryProvider::with_clock(clock)), ()) });

// A third of everything goes wrong that may go wrong, and nobody behind the layer sees any of it.
conformance::suite!(retrying_what_fails, |clock| async {
    let faulty = Faulty::new(MemoryProvider::with_clock(clock), 11).with(Faults::bearable(0.3));
    (patient(faulty), ())
});

/// Tries often, and does not wait.
fn patient<P: Provider>(store: P) -> Retrying<P> {
    Retrying::new(store).policy(RetryPolicy::attempts(100)).pause(|_| async {})
}

fn id(text: &str) -> InstanceId {
    InstanceId::new(text).unwrap()
}

fn create(commit: u128, instance: &str, execution: u64) -> Transaction {
    let op = TransactionOp::CreateExecution { instance: id(instance), execution_id: ExecutionId(execution) };
    Transaction { fence: None, commit_id: CommitId(commit), ops: vec![op] }
}

fn always(operation: Operation, fault: Fault) -> Faults {
    Faults::none().on(operation, fault, 1.0)
}

/// The kind of an error of the store.
fn kind<T: std::fmt::Debug>(answer: Result<T, CommitError>) -> ErrorKind {
    match answer.unwrap_err() {
        CommitError::Provider(error) => error.kind(),
        other => panic!("{other:?}"),
    }
}

#[tokio::test]
async fn waits_between_tries_are_those_of_the_policy() {
    let waits = Arc::new(Mutex::new(Vec::new()));
    let faulty = Faulty::new(MemoryProvider::new(), 1).with(always(Operation::Count, Fault::ErrorBefore));
    let (noted, policy) = (waits.clone(), RetryPolicy::attempts(4).initial(Duration::from_millis(10)).factor(3.0));
    let store = Retrying::new(faulty.clone()).policy(policy).pause(move |wait| {
        noted.lock().unwrap().push(wait);
        async {}
    });
    assert_eq!(store.stats().await.unwrap_err().kind(), ErrorKind::Unavailable);
    assert_eq!(*waits.lock().unwrap(), [10, 30, 90].map(Duration::from_millis));
    assert_eq!(faulty.happened(Operation::Count, Fault::ErrorBefore), 4);
}

#[tokio::test]
async fn what_no_second_try_can_change_is_not_tried_again() {
    let faulty = Faulty::new(MemoryProvider::new(), 1).with(always(Operation::Commit, Fault::Permanent));
    let store = patient(faulty.clone());
    assert_eq!(kind(store.atomic_batch(create(1, "a", 1)).await), ErrorKind::Invalid);
    assert_eq!(faulty.happened(Operation::Commit, Fault::Permanent), 1);
    faulty.set(Faults::none());
    let measured = Measured::new(faulty);
    let measures = measured.measures();
    let store = patient(measured);
    let refused = store.atomic_batch(create(2, "a", 7)).await.unwrap_err();
    assert!(matches!(refused, CommitError::ExecutionExists { .. }));
    assert_eq!(
        (measures.snapshot().of(Operation::Commit).calls, measures.snapshot().of(Operation::Commit).refused),
        (1, 1)
    );
}

#[tokio::test]
async fn a_lost_answer_is_asked_for_again_under_the_same_id() {
    let faulty = Faulty::new(MemoryProvider::new(), 5);
    let store = patient(faulty.clone());
    for (number, name) in ["a", "b", "c", "d", "e", "f", "g", "h"].into_iter().enumerate() {
        faulty.set(Faults::none().on(Operation::Commit, Fault::ErrorAfter, 0.6));
        // Were it kept twice, the second would be refused.
        store.atomic_batch(create(number as u128, name, 1)).await.unwrap();
    }
    assert!(faulty.happened(Operation::Commit, Fault::ErrorAfter) > 0);
    assert_eq!(store.stats().await.unwrap().instances, 8);
}

#[tokio::test]
async fn when_patience_ends_a_doubt_stays_a_doubt() {
    let faulty = Faulty::new(MemoryProvider::new(), 1).with(always(Operation::Commit, Fault::ErrorAfter));
    let (turn, at) = (faulty.clone(), Mutex::new(0));
    let store = Retrying::new(faulty.clone()).policy(RetryPolicy::attempts(3)).pause(move |_| {
        // After the first try, whose answer was lost, the store cannot be reached any more.
        *at.lock().unwrap() += 1;
        turn.set(always(Operation::Commit, Fault::ErrorBefore));
        async {}
    });
    assert_eq!(kind(store.atomic_batch(create(1, "a", 1)).await), ErrorKind::Ambiguous);
    assert!(faulty.instance(&id("a")).await.unwrap().is_some());
    // What never arrived is not in doubt.
    assert_eq!(kind(store.atomic_batch(create(2, "b", 1)).await), ErrorKind::Unavailable);
}

#[tokio::test]
async fn calls_are_counted_and_timed_by_the_clock() {
    let clock = ManualClock::new();
    let store = Measured::with_clock(MemoryProvider::with_clock(clock.clone()), clock.clone());
    let measures = store.measures();
    store.atomic_batch(create(1, "a", 1)).await.unwrap();
    store.atomic_batch(create(2, "a", 1)).await.unwrap_err();
    let want = TurnRequest {
        owner: OwnerId::new("test"),
        max: 1,
        ttl: Duration::from_secs(1),
        wait: Duration::from_secs(5),
        instance: None,
        skills: None,
    };
    let mut fetch = store.fetch_turns(want.clone());
    assert!((&mut fetch).now_or_never().is_none());
    assert_eq!(measures.snapshot().of(Operation::FetchTurns).under_way, 1);
    clock.advance(Duration::from_secs(5));
    assert!(fetch.await.unwrap().is_empty());
    assert!(store.fetch_turns(want).now_or_never().is_none());
    store.close().await;
    store.stats().await.unwrap_err();

    let snapshot = measures.snapshot();
    let Figures { calls, refused, failed, .. } = snapshot.of(Operation::Commit);
    assert_eq!((calls, refused, failed), (2, 1, 0));
    let Figures { calls, under_way, dropped, longest, total, .. } = snapshot.of(Operation::FetchTurns);
    assert_eq!((calls, under_way, dropped), (2, 0, 1));
    assert_eq!((longest, total), (Duration::from_secs(5), Duration::from_secs(5)));
    assert_eq!(snapshot.of(Operation::FetchTurns).mean(), Duration::from_millis(2_500));
    assert_eq!((snapshot.of(Operation::Count).failed, snapshot.of(Operation::Renew).calls), (1, 0));
    let table = snapshot.to_string();
    assert!(table.lines().any(|line| line.starts_with("commit ") && line.contains(" 2 ")), "{table}");
    measures.reset();
    assert!(measures.snapshot().operations.is_empty());
}

#[tokio::test]
async fn one_seed_is_one_fate() {
    async fn fate(seed: u64) -> Vec<bool> {
        let faulty = Faulty::new(MemoryProvider::new(), seed).with(Faults::none().everywhere(Fault::ErrorBefore, 0.5));
        let mut fate = Vec::new();
        for _ in 0..64 {
            fate.push(faulty.stats().await.is_ok());
        }
        fate
    }
    assert_eq!(fate(1).await, fate(1).await);
    assert_ne!(fate(1).await, fate(2).await);
}

#[tokio::test]
async fn each_fault_is_what_it_says() {
    let faulty = Faulty::new(MemoryProvider::new(), 1);
    let kept = async |name: &str| faulty.instance(&id(name)).await.unwrap().is_some();
    faulty.set(always(Operation::Commit, Fault::ErrorBefore));
    assert_eq!(kind(faulty.atomic_batch(create(1, "before", 1)).await), ErrorKind::Unavailable);
    faulty.set(always(Operation::Commit, Fault::ErrorAfter));
    assert_eq!(kind(faulty.atomic_batch(create(2, "after", 1)).await), ErrorKind::Ambiguous);
    faulty.set(always(Operation::Commit, Fault::Permanent));
    assert_eq!(kind(faulty.atomic_batch(create(3, "never", 1)).await), ErrorKind::Invalid);
    for fault in [Fault::Duplicate, Fault::Delay, Fault::Reorder] {
        faulty.set(always(Operation::Commit, fault));
        faulty.atomic_batch(create(4 + fault as u128, &format!("{fault:?}"), 1)).await.unwrap();
        assert_eq!(faulty.happened(Operation::Commit, fault), 1);
        assert!(kept(&format!("{fault:?}")).await);
    }
    assert!(!kept("before").await && kept("after").await && !kept("never").await);
}

#[tokio::test]
async fn a_held_back_transaction_is_overtaken_by_the_next() {
    let faulty = Faulty::new(MemoryProvider::new(), 1).with(always(Operation::Commit, Fault::Reorder));
    let first = faulty.atomic_batch(create(1, "a", 1));
    let overtakes = async {
        faulty.set(Faults::none());
        faulty.atomic_batch(create(2, "a", 1)).await
    };
    let (first, second) = futures_util::future::join(first, overtakes).await;
    assert!(first.is_err() && second.is_ok());
}

#[tokio::test]
async fn a_shifted_clock_is_that_of_the_store() {
    let right = ManualClock::new();
    let clock = ShiftingClock::new(right.clone());
    let faulty = Faulty::new(MemoryProvider::with_clock(clock.clone()), 3).shifting(clock.clone());
    faulty.set(always(Operation::Count, Fault::ClockShift));
    let mut seen = std::collections::BTreeSet::new();
    for _ in 0..40 {
        let before = clock.now().as_millis();
        faulty.stats().await.unwrap();
        seen.insert(clock.now().as_millis() as i64 - before as i64);
    }
    assert_eq!(seen.into_iter().collect::<Vec<_>>(), [-86_400_000, -300_000, 300_000, 86_400_000]);
    // Whoever waits by it is woken by the jump.
    let want = TurnRequest {
        owner: OwnerId::new("test"),
        max: 1,
        ttl: Duration::from_secs(1),
        wait: Duration::from_secs(5),
        instance: None,
        skills: None,
    };
    faulty.set(Faults::none());
    let mut fetch = faulty.fetch_turns(want);
    assert!((&mut fetch).now_or_never().is_none());
    clock.shift(60_000);
    assert!(fetch.await.unwrap().is_empty());
    assert!(right.now() < Timestamp::MAX);
}
