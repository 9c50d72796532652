//! Several openings of one file. Each has threads, connections and a lock of its own, as another process has.

use std::fs;
use std::time::Duration;

use durable_runtime::providers::{
    ActivityRequest, CommitError, CommitId, Provider, Renewal, SqliteProvider, Transaction, TransactionOp, TurnRequest,
};
use durable_runtime::testing::ManualClock;
use futures_util::future::{join, join_all};

use super::{activities, append, create, id, keep, schedule, send, turns};

const LONG: Duration = Duration::from_secs(1_000);

fn two(folder: &tempfile::TempDir) -> (SqliteProvider, SqliteProvider, ManualClock) {
    let clock = ManualClock::new();
    let open = || SqliteProvider::options().clock(clock.clone()).open(folder.path().join("store.db")).unwrap();
    (open(), open(), clock)
}

#[tokio::test]
async fn what_one_writes_wakes_the_other() {
    let folder = tempfile::tempdir().unwrap();
    let (one, other, _clock) = two(&folder);
    let patient = other.fetch_turns(TurnRequest { wait: LONG, ..turns() });
    let (found, ()) = join(patient, keep(&one, 1, vec![create("a", 1), send("a", "m")])).await;
    assert_eq!(found.unwrap()[0].instance, id("a"));
    let patient = other.fetch_activities(ActivityRequest { wait: LONG, ..activities() });
    let (found, ()) = join(patient, keep(&one, 2, vec![schedule("a", "job")])).await;
    assert_eq!(found.unwrap()[0].instance, id("a"));
    let (a, put) = (id("a"), vec![("k".to_owned(), Some(vec![1].into()))]);
    let patient = other.wait_for_change(&a, 1, LONG);
    let change = keep(&one, 3, vec![TransactionOp::PutMetadata { instance: id("a"), entries: put }]);
    assert_eq!(join(patient, change).await.0.unwrap().unwrap().revision, 2);
}

#[tokio::test]
async fn a_lease_is_one_lease_for_all_and_fences_grow_over_all() {
    let folder = tempfile::tempdir().unwrap();
    let (one, other, clock) = two(&folder);
    keep(&one, 1, vec![create("a", 1), send("a", "m")]).await;
    let (mut last, mut holders) = (None::<durable_runtime::LockToken>, [&one, &other].into_iter().cycle());
    for commit in 10..20 {
        let (holder, idle) = (holders.next().unwrap(), holders.clone().next().unwrap());
        let token = holder.fetch_turns(turns()).await.unwrap().remove(0).lock_token;
        assert!(idle.fetch_turns(turns()).await.unwrap().is_empty());
        if let Some(older) = last.replace(token.clone()) {
            assert!(token.fence > older.fence);
            let ops = vec![append("a", 1, 1, &["late"])];
            let late = Transaction { fence: Some(older.clone()), commit_id: CommitId(commit), ops };
            assert!(matches!(idle.atomic_batch(late).await, Err(CommitError::LeaseLost(_))));
            assert_eq!(idle.renew(&[older], LONG).await.unwrap(), [Renewal::Lost]);
        }
        // A token is good in whatever hands it is.
        assert!(matches!(idle.renew(&[token], LONG).await.unwrap()[0], Renewal::Until(_)));
        clock.advance(LONG);
    }
    assert!(
        one.history(&id("a"), durable_runtime::ExecutionId(1), durable_runtime::EventId(1), 9)
            .await
            .unwrap()
            .is_empty()
    );
}

#[tokio::test]
async fn competing_workers_get_each_instance_once() {
    let folder = tempfile::tempdir().unwrap();
    let (one, other, _clock) = two(&folder);
    for number in 0..60 {
        keep(&one, number, vec![create(&format!("i{number}"), 1), send(&format!("i{number}"), "m")]).await;
    }
    let want = || TurnRequest { max: 3, wait: LONG, ..turns() };
    let fetches = (0..20).map(|number| if number % 2 == 0 { &one } else { &other }.fetch_turns(want()));
    let mut found: Vec<_> = join_all(fetches).await.into_iter().flat_map(|turns| turns.unwrap()).collect();
    found.extend(one.fetch_turns(turns()).await.unwrap());
    let mut names: Vec<_> = found.iter().map(|turn| turn.instance.clone()).collect();
    names.sort();
    names.dedup();
    assert_eq!((names.len(), found.len()), (60, 60));
}

#[tokio::test]
async fn what_one_had_in_hand_is_free_when_it_is_closed() {
    let folder = tempfile::tempdir().unwrap();
    let (one, other, _clock) = two(&folder);
    keep(&one, 1, vec![create("a", 1), send("a", "m"), schedule("a", "job")]).await;
    assert_eq!(one.fetch_turns(turns()).await.unwrap().len(), 1);
    assert_eq!(one.fetch_activities(activities()).await.unwrap().len(), 1);
    let patient = other.fetch_turns(TurnRequest { wait: LONG, ..turns() });
    let (found, ()) = join(patient, one.close()).await;
    assert_eq!(found.unwrap()[0].attempt, 2);
    assert_eq!(other.fetch_activities(activities()).await.unwrap()[0].attempt, 2);
}

#[tokio::test]
async fn what_a_dead_one_had_in_hand_is_free_when_another_notices() {
    let folder = tempfile::tempdir().unwrap();
    let (one, other, _clock) = two(&folder);
    keep(&one, 1, vec![create("a", 1), send("a", "m"), schedule("a", "job")]).await;
    assert_eq!(one.fetch_turns(turns()).await.unwrap().len(), 1);
    // As it looks to the others when its process is gone: nobody holds its file.
    fs::remove_file(folder.path().join("store.db-handle-1")).unwrap();
    let found = other.fetch_turns(TurnRequest { wait: LONG, ..turns() }).await.unwrap();
    assert_eq!(found[0].instance, id("a"));
}

#[tokio::test]
async fn commits_of_all_are_kept_and_a_commit_id_counts_once_for_all() {
    let folder = tempfile::tempdir().unwrap();
    let (one, other, _clock) = two(&folder);
    keep(&one, 1, vec![create("a", 1)]).await;
    keep(&other, 1, vec![create("a", 1)]).await;
    let starts = (2..202).map(|number: u32| {
        let store = if number.is_multiple_of(2) { &one } else { &other };
        keep(store, number.into(), vec![create(&format!("i{number}"), 1), send(&format!("i{number}"), "m")])
    });
    join_all(starts).await;
    let stats = one.stats().await.unwrap();
    assert_eq!((stats.instances, stats.turn_messages), (201, 200));
    assert_eq!(stats, other.stats().await.unwrap());
}
