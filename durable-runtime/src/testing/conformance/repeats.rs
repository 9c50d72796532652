//! A transaction handed over again under its id, as after a lost answer: answered as the first time, and done once.

use std::time::Duration;

use futures_util::future::join_all;

use super::kit::*;
use crate::ids::LockToken;
use crate::providers::{CommitId, NewMessage, Queue, Transaction, TransactionOp};

/// Keeps a transaction, does something else, and hands the transaction over again.
async fn again_after(
    subject: &Subject,
    fence: Option<&LockToken>,
    ops: Vec<TransactionOp>,
    between: impl AsyncFnOnce(&Subject),
) {
    let transaction = subject.transaction(fence, ops);
    let first = subject.provider.atomic_batch(transaction.clone()).await.unwrap();
    between(subject).await;
    assert_eq!(subject.provider.atomic_batch(transaction).await.unwrap(), first);
}

pub async fn a_repeated_start_is_not_refused(subject: Subject) {
    again_after(&subject, None, vec![create("a", 1), send("a", "start")], async |_| {}).await;
    assert_eq!((subject.stats().await.turn_messages, subject.revision("a").await), (1, 1));
}

pub async fn a_repeated_execution_is_not_refused(subject: Subject) {
    subject.commit(None, vec![create("a", 1)]).await;
    again_after(&subject, None, vec![create("a", 2)], async |_| {}).await;
    assert_eq!(subject.record("a").await.execution_id.0, 2);
}

pub async fn a_repeated_append_adds_nothing(subject: Subject) {
    subject.commit(None, vec![create("a", 1)]).await;
    let more = async |subject: &Subject| subject.commit(None, vec![append("a", 1, 2, &["two"])]).await;
    again_after(&subject, None, vec![append("a", 1, 1, &["one"])], more).await;
    assert_eq!(subject.history("a", 1).await, ["one", "two"]);
}

pub async fn a_repeated_message_does_not_come_back_once_acknowledged(subject: Subject) {
    let acknowledge = async |subject: &Subject| {
        let turn = subject.turn().await;
        subject.commit(Some(&turn.lock_token), vec![ack("a", &["m"]), release()]).await;
    };
    again_after(&subject, None, vec![send("a", "m")], acknowledge).await;
    assert!(subject.turns(10).await.is_empty());
}

pub async fn a_repeated_activity_does_not_come_back_once_done(subject: Subject) {
    let finish = async |subject: &Subject| {
        let token = subject.activity().await.lock_token;
        subject.commit(None, vec![ack_work(&token)]).await;
    };
    again_after(&subject, None, vec![schedule("a", "job")], finish).await;
    assert!(subject.activities(10).await.is_empty());
}

pub async fn a_repeated_end_of_work_is_answered_though_the_work_is_gone(subject: Subject) {
    subject.commit(None, vec![schedule("a", "job")]).await;
    let token = subject.activity().await.lock_token;
    let expire = async |subject: &Subject| subject.clock.advance(LONG);
    again_after(&subject, None, vec![ack_work(&token), send("a", "done")], expire).await;
    assert_eq!(ids(&subject.turn().await), ["done"]);
}

pub async fn a_repeated_retry_does_not_wait_again(subject: Subject) {
    subject.commit(None, vec![schedule("a", "job")]).await;
    let token = subject.activity().await.lock_token;
    let wait = async |subject: &Subject| subject.clock.advance(Duration::from_secs(9));
    again_after(&subject, None, vec![retry(&token, Duration::from_secs(10), "again")], wait).await;
    subject.clock.advance(Duration::from_secs(1));
    assert_eq!(subject.activity().await.attempt, 2);
}

pub async fn a_repeated_cancel_spares_what_was_put_since(subject: Subject) {
    subject.commit(None, vec![send("a", "m")]).await;
    let put_again = async |subject: &Subject| subject.commit(None, vec![send("a", "m")]).await;
    again_after(&subject, None, vec![cancel(Queue::Turns(id("a")), &["m"])], put_again).await;
    assert_eq!(ids(&subject.turn().await), ["m"]);
}

pub async fn a_repeated_value_does_not_cover_a_later_one(subject: Subject) {
    subject.commit(None, vec![create("a", 1)]).await;
    let later = async |subject: &Subject| {
        subject.commit(None, vec![put("a", "k", Some("later")), label("a", "l", Some("later"))]).await;
    };
    again_after(&subject, None, vec![put("a", "k", Some("first")), label("a", "l", Some("first"))], later).await;
    let record = subject.record("a").await;
    assert_eq!((text(&record.metadata["k"]).as_str(), record.labels["l"].as_str()), ("later", "later"));
}

pub async fn a_repeated_delete_spares_what_was_made_since(subject: Subject) {
    subject.start("a").await;
    let anew = async |subject: &Subject| subject.start("a").await;
    again_after(&subject, None, vec![delete("a")], anew).await;
    assert!(subject.exists("a").await);
    assert_eq!(ids(&subject.turn().await), ["start"]);
}

pub async fn a_repeated_release_does_not_end_the_next_lease(subject: Subject) {
    subject.start("a").await;
    let first = subject.turn().await;
    let mut next = None;
    let lease = async |subject: &Subject| next = Some(subject.turn().await);
    again_after(&subject, Some(&first.lock_token), vec![release()], lease).await;
    assert!(subject.turns(10).await.is_empty());
    subject.commit(Some(&next.unwrap().lock_token), vec![ack("a", &["start"]), release()]).await;
}

pub async fn a_repeat_is_answered_after_its_instance_was_deleted(subject: Subject) {
    let remove = async |subject: &Subject| subject.commit(None, vec![delete("a")]).await;
    again_after(&subject, None, vec![create("a", 1), send("a", "m"), schedule("a", "job")], remove).await;
    assert!(!subject.exists("a").await);
    assert!(subject.turns(10).await.is_empty() && subject.activities(10).await.is_empty());
}

pub async fn a_commit_id_counts_for_the_whole_store(subject: Subject) {
    let first = Transaction { fence: None, commit_id: CommitId(77), ops: vec![create("a", 1)] };
    let other = Transaction { ops: vec![create("b", 1), send("b", "m")], ..first.clone() };
    subject.provider.atomic_batch(first).await.unwrap();
    subject.provider.atomic_batch(other).await.unwrap();
    assert!(subject.exists("a").await && !subject.exists("b").await);
    assert!(subject.turns(10).await.is_empty());
}

pub async fn a_commit_id_that_was_kept_is_answered_whatever_it_says_now(subject: Subject) {
    let good = Transaction { fence: None, commit_id: CommitId(77), ops: vec![create("a", 1)] };
    let wrong = Transaction { ops: vec![put("nobody", "k", None)], ..good.clone() };
    let first = subject.provider.atomic_batch(good).await.unwrap();
    assert_eq!(subject.provider.atomic_batch(wrong).await.unwrap(), first);
}

pub async fn the_smallest_and_the_largest_commit_id_are_two(subject: Subject) {
    for (number, name) in [(0, "a"), (u128::MAX, "b"), (1 << 64, "c"), (u128::from(u64::MAX), "d")] {
        for _ in 0..2 {
            let transaction = Transaction { fence: None, commit_id: CommitId(number), ops: vec![create(name, 1)] };
            assert_eq!(subject.provider.atomic_batch(transaction).await.unwrap().commit_id, CommitId(number));
        }
    }
    assert_eq!(subject.stats().await.instances, 4);
}

pub async fn repeats_side_by_side_count_once(subject: Subject) {
    let message = NewMessage { visible_at: None, ..message("m") };
    let ops = vec![create("a", 1), append("a", 1, 1, &["one"]), enqueue(Queue::Turns(id("a")), vec![message])];
    let transaction = subject.transaction(None, ops);
    let all = (0..20).map(|_| subject.provider.atomic_batch(transaction.clone()));
    assert!(join_all(all).await.iter().all(Result::is_ok));
    assert_eq!(subject.history("a", 1).await, ["one"]);
    assert_eq!(subject.stats().await.turn_messages, 1);
}

pub async fn a_repeat_is_known_after_hundreds_of_others(subject: Subject) {
    let many = async |subject: &Subject| {
        let names: Vec<String> = (0..500).map(|n| n.to_string()).collect();
        join_all(names.iter().map(|name| subject.commit(None, vec![send("b", name)]))).await;
    };
    again_after(&subject, None, vec![create("a", 1), send("a", "m")], many).await;
    assert_eq!(subject.stats().await.turn_messages, 501);
}

pub async fn a_refused_transaction_is_judged_anew_each_time(subject: Subject) {
    let transaction = subject.transaction(None, vec![append("a", 1, 1, &["one"])]);
    subject.provider.atomic_batch(transaction.clone()).await.unwrap_err();
    subject.provider.atomic_batch(transaction.clone()).await.unwrap_err();
    subject.commit(None, vec![create("a", 1)]).await;
    subject.provider.atomic_batch(transaction.clone()).await.unwrap();
    subject.provider.atomic_batch(transaction).await.unwrap();
    assert_eq!(subject.history("a", 1).await, ["one"]);
}

pub async fn a_repeat_under_a_lease_that_passed_on_is_answered(subject: Subject) {
    subject.start("a").await;
    let old = subject.turn().await;
    let pass_on = async |subject: &Subject| {
        subject.clock.advance(TTL);
        subject.turn().await;
    };
    again_after(&subject, Some(&old.lock_token), vec![append("a", 1, 1, &["one"])], pass_on).await;
    assert_eq!(subject.history("a", 1).await, ["one"]);
}

pub async fn a_repeated_note_does_not_cover_a_later_one(subject: Subject) {
    subject.commit(None, vec![create("a", 1)]).await;
    let later = async |subject: &Subject| subject.commit(None, vec![note("a", "k", Some("later"))]).await;
    again_after(&subject, None, vec![note("a", "k", Some("first"))], later).await;
    assert_eq!(subject.provider.kv(&id("a"), "k").await.unwrap().unwrap(), "later");
}

pub async fn a_repeated_giving_back_does_not_end_the_next_lease(subject: Subject) {
    subject.commit(None, vec![schedule("a", "job")]).await;
    let token = subject.activity().await.lock_token;
    let mut next = None;
    let lease = async |subject: &Subject| next = Some(subject.activity().await);
    again_after(&subject, None, vec![put_back(&token, 0, true)], lease).await;
    assert!(subject.activities(10).await.is_empty());
    let next = next.unwrap();
    assert_eq!(next.attempt, 1);
    subject.commit(None, vec![ack_work(&next.lock_token)]).await;
}

pub async fn a_repeated_pruning_spares_what_was_written_since(subject: Subject) {
    subject.commit(None, vec![create("a", 1), append("a", 1, 1, &["old"]), create("a", 2)]).await;
    let write = async |subject: &Subject| subject.commit(None, vec![append("a", 1, 1, &["new"])]).await;
    again_after(&subject, None, vec![prune("a", 1)], write).await;
    assert_eq!(subject.history("a", 1).await, ["new"]);
}
