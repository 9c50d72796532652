//! What can be seen of an instance: executions, and what waits for it.

use std::time::Duration;

use super::kit::*;
use crate::ids::ExecutionId;
use crate::providers::{CommitError, ErrorKind, InstanceMessages, Queue, TransactionOp};

async fn waits(subject: &Subject, instance: &str) -> InstanceMessages {
    subject.provider.messages(&id(instance), 100).await.unwrap()
}

async fn executions(subject: &Subject, from: u64, limit: usize) -> Vec<(u64, u64)> {
    let found = subject.provider.executions(&id("a"), ExecutionId(from), limit).await.unwrap();
    found.into_iter().map(|info| (info.execution_id.0, info.history_len)).collect()
}

fn prune(execution: u64) -> TransactionOp {
    TransactionOp::DeleteExecution { instance: id("a"), execution_id: ExecutionId(execution) }
}

pub async fn what_waits_is_listed_in_order(subject: Subject) {
    let later = subject.in_time(50);
    subject
        .commit(None, vec![create("a", 1), send_at("a", "timer", later), send("a", "1"), schedule("a", "job")])
        .await;
    subject.commit(None, vec![send("b", "other")]).await;
    let found = waits(&subject, "a").await;
    assert!(found.lease.is_none() && found.parked.is_none());
    let names: Vec<_> = found.messages.iter().map(|message| message.id.to_string()).collect();
    assert_eq!(names, ["1", "timer", "job"]);
    assert_eq!(found.messages[1].visible_at, later);
    assert_eq!(found.messages[0].queue, Queue::Turns(id("a")));
    assert_eq!(found.messages[2].queue, Queue::Activities(id("a")));
    assert_eq!((found.messages[2].topic.as_str(), text(&found.messages[2].data)), ("work", "job".to_owned()));
    assert!(found.messages.iter().all(|message| message.attempt == 0 && message.lease.is_none()));
    assert_eq!(subject.provider.messages(&id("a"), 2).await.unwrap().messages.len(), 2);
    assert!(waits(&subject, "nobody").await.messages.is_empty());
}

pub async fn who_has_what_is_said(subject: Subject) {
    subject.commit(None, vec![create("a", 1), send("a", "1"), schedule("a", "job"), schedule("a", "next")]).await;
    let turn = subject.turn().await;
    let job = subject.activities(1).await.remove(0);
    let ends = subject.in_time(TTL.as_secs());
    subject.clock.advance(Duration::from_secs(1));
    subject.commit(None, vec![send("a", "2")]).await;
    let found = waits(&subject, "a").await;
    let lease = found.lease.unwrap();
    assert_eq!((&lease.owner, lease.until, &lease.lock_token), (&owner(), ends, &turn.lock_token));
    let holders: Vec<_> =
        found.messages.iter().map(|message| message.lease.clone().map(|lease| lease.lock_token)).collect();
    assert_eq!(holders, [Some(turn.lock_token.clone()), None, Some(job.lock_token), None]);
    assert_eq!(found.messages.iter().map(|message| message.attempt).collect::<Vec<_>>(), [1, 0, 1, 0]);
    subject.commit(Some(&turn.lock_token), vec![release_for(60)]).await;
    let found = waits(&subject, "a").await;
    assert!(found.lease.is_none() && found.messages[0].lease.is_none());
    assert_eq!(found.messages[0].visible_at, subject.in_time(60), "not before the delay is over");
}

pub async fn a_lease_without_messages_is_seen_until_it_ends(subject: Subject) {
    let turn = subject.turn_of("a").await;
    let found = waits(&subject, "a").await;
    assert_eq!(found.lease.unwrap().lock_token, turn.lock_token);
    assert!(found.messages.is_empty());
    subject.clock.advance(TTL);
    assert!(waits(&subject, "a").await.lease.is_none());
}

pub async fn executions_are_listed_with_their_length(subject: Subject) {
    assert_eq!(executions(&subject, 1, 10).await, []);
    subject.commit(None, vec![create("a", 1), append("a", 1, 1, &["x", "y"])]).await;
    subject.commit(None, vec![create("a", 2), append("a", 2, 1, &["x"])]).await;
    subject.commit(None, vec![append("a", 2, 2, &["y", "z"]), create("a", 3), create("a", 4)]).await;
    // One without events is there only as the newest.
    assert_eq!(executions(&subject, 1, 10).await, [(1, 2), (2, 3), (4, 0)]);
    assert_eq!(executions(&subject, 2, 1).await, [(2, 3)]);
    assert_eq!(executions(&subject, 3, 10).await, [(4, 0)]);
    assert_eq!(executions(&subject, 5, 10).await, []);
}

pub async fn an_older_execution_can_be_deleted(mut subject: Subject) {
    let long = "x".repeat(30_000);
    for execution in 1..4 {
        subject.commit(None, vec![create("a", execution), append("a", execution, 1, &["x", &long])]).await;
    }
    subject.commit(None, vec![prune(2)]).await;
    assert_eq!(executions(&subject, 1, 10).await, [(1, 2), (3, 2)]);
    assert_eq!(subject.history("a", 2).await, Vec::<String>::new());
    assert_eq!(subject.history("a", 1).await, ["x", &long]);
    // Again, and together with one that is there.
    subject.commit(None, vec![prune(2), prune(1)]).await;
    subject.restart().await;
    assert_eq!(executions(&subject, 1, 10).await, [(3, 2)]);
    assert_eq!(subject.history("a", 3).await, ["x", &long]);
    assert_eq!(subject.record("a").await.execution_id, ExecutionId(3), "the numbers go on");
}

pub async fn the_newest_execution_cannot_be_deleted(subject: Subject) {
    assert!(matches!(subject.refused(None, vec![prune(1)]).await, CommitError::NoInstance(_)));
    subject.commit(None, vec![create("a", 1), append("a", 1, 1, &["x"])]).await;
    for execution in [1, 2] {
        match subject.refused(None, vec![prune(execution)]).await {
            CommitError::Provider(error) => assert_eq!(error.kind(), ErrorKind::Invalid),
            other => panic!("{other}"),
        }
    }
    assert_eq!(subject.history("a", 1).await, ["x"]);
    // What was the newest when the transaction began may not be when it ends.
    subject.commit(None, vec![create("a", 2), prune(1)]).await;
    assert_eq!(executions(&subject, 1, 10).await, [(2, 0)]);
}

pub async fn a_refused_transaction_deletes_no_execution(subject: Subject) {
    subject.commit(None, vec![create("a", 1), append("a", 1, 1, &["x"]), create("a", 2)]).await;
    subject.refused(None, vec![prune(1), create("a", 9)]).await;
    assert_eq!(executions(&subject, 1, 10).await, [(1, 1), (2, 0)]);
}
