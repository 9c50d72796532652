//! All of a transaction or nothing, and once.

use super::kit::*;
use crate::providers::{CommitError, Queue, TransactionOp};

pub async fn all_of_a_transaction_is_kept(subject: Subject) {
    let ops = vec![
        create("a", 1),
        append("a", 1, 1, &["one", "two"]),
        send("a", "hello"),
        schedule("a", "job"),
        put("a", "status", Some("running")),
        label("a", "kind", Some("order")),
    ];
    subject.commit(None, ops).await;
    let record = subject.provider.instance(&id("a")).await.unwrap().unwrap();
    assert_eq!((record.execution_id.0, record.revision), (1, 1));
    assert_eq!(text(&record.metadata["status"]), "running");
    assert_eq!(record.labels["kind"], "order");
    assert_eq!(subject.history("a", 1).await, ["one", "two"]);
    assert_eq!(ids(&subject.turn().await), ["hello"]);
    assert_eq!(text(&subject.activity().await.data), "job");
}

pub async fn nothing_of_a_refused_transaction_is_kept(subject: Subject) {
    let ops = vec![
        create("a", 1),
        append("a", 1, 1, &["one"]),
        send("a", "hello"),
        schedule("a", "job"),
        put("b", "status", Some("no such instance")),
    ];
    assert!(matches!(subject.try_commit(None, ops).await, Err(CommitError::NoInstance(b)) if b == id("b")));
    assert!(!subject.exists("a").await);
    assert!(subject.history("a", 1).await.is_empty());
    assert!(subject.turns(10).await.is_empty());
    assert!(subject.activities(10).await.is_empty());
    assert_eq!(subject.provider.stats().await.unwrap().instances, 0);
}

pub async fn a_refused_transaction_takes_nothing_away(subject: Subject) {
    subject.start("a").await;
    subject.commit(None, vec![schedule("a", "job")]).await;
    let (turn, job) = (subject.turn().await, subject.activity().await);
    let ops = vec![ack("a", &["start"]), ack_work(&job.lock_token), release(), append("a", 1, 7, &["gap"])];
    assert!(subject.try_commit(Some(&turn.lock_token), ops).await.is_err());
    let ops = vec![ack("a", &["start"]), ack_work(&job.lock_token), release()];
    subject.commit(Some(&turn.lock_token), ops).await;
    assert!(subject.turns(10).await.is_empty());
}

pub async fn ops_see_what_earlier_ops_did(subject: Subject) {
    let ops = vec![
        create("a", 1),
        append("a", 1, 1, &["one"]),
        append("a", 1, 2, &["two", "three"]),
        create("a", 2),
        append("a", 1, 4, &["four"]),
        append("a", 2, 1, &["again"]),
        send("a", "m"),
        cancel(Queue::Turns(id("a")), &["m"]),
        put("a", "k", Some("1")),
        put("a", "k", None),
    ];
    subject.commit(None, ops).await;
    assert_eq!(subject.history("a", 1).await, ["one", "two", "three", "four"]);
    assert_eq!(subject.history("a", 2).await, ["again"]);
    assert!(subject.turns(10).await.is_empty());
    let record = subject.provider.instance(&id("a")).await.unwrap().unwrap();
    assert_eq!((record.execution_id.0, record.revision), (2, 1));
    assert!(record.metadata.is_empty());
}

pub async fn a_commit_id_counts_once(subject: Subject) {
    let transaction = subject.transaction(None, vec![create("a", 1), append("a", 1, 1, &["one"]), send("a", "m")]);
    let first = subject.provider.atomic_batch(transaction.clone()).await.unwrap();
    let second = subject.provider.atomic_batch(transaction).await.unwrap();
    assert_eq!(first, second);
    assert_eq!(subject.history("a", 1).await, ["one"]);
    assert_eq!(subject.provider.stats().await.unwrap().turn_messages, 1);
}

pub async fn a_commit_id_is_known_after_its_lease_ended(subject: Subject) {
    subject.start("a").await;
    let token = subject.turn().await.lock_token;
    let transaction = subject.transaction(Some(&token), vec![ack("a", &["start"]), release()]);
    subject.provider.atomic_batch(transaction.clone()).await.unwrap();
    subject.provider.atomic_batch(transaction).await.unwrap();
}

pub async fn a_refused_commit_id_can_be_used_again(subject: Subject) {
    let mut transaction = subject.transaction(None, vec![put("a", "k", Some("v"))]);
    assert!(subject.provider.atomic_batch(transaction.clone()).await.is_err());
    transaction.ops.insert(0, create("a", 1));
    subject.provider.atomic_batch(transaction).await.unwrap();
    assert!(subject.exists("a").await);
}

pub async fn concurrent_starts_of_one_id_make_one(subject: Subject) {
    let starts = (0..16).map(|n| {
        let ops = vec![create("a", 1), append("a", 1, 1, &[&n.to_string()])];
        subject.try_commit(None, ops)
    });
    let results = futures_util::future::join_all(starts).await;
    assert_eq!(results.iter().filter(|result| result.is_ok()).count(), 1);
    let refused =
        |result: &&Result<_, _>| matches!(result, Err(CommitError::ExecutionExists { newest, .. }) if newest.0 == 1);
    assert_eq!(results.iter().filter(refused).count(), 15);
    assert_eq!(subject.history("a", 1).await.len(), 1);
}

pub async fn a_transaction_without_ops_is_kept(subject: Subject) {
    subject.commit(None, Vec::<TransactionOp>::new()).await;
}

pub async fn concurrent_transactions_of_many_instances_are_all_kept(subject: Subject) {
    let names: Vec<String> = (0..200).map(|n| format!("i{n:03}")).collect();
    futures_util::future::join_all(names.iter().map(|name| subject.start(name))).await;
    assert_eq!(subject.provider.stats().await.unwrap().instances, 200);
    assert_eq!(subject.turns(1000).await.len(), 200);
}
