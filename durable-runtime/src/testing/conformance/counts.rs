//! The numbers are exact after every kind of op: nothing is estimated, nothing drifts.

use std::time::Duration;

use super::kit::*;
use crate::providers::{Queue, Stats};

/// Instances, turn messages, activities, leased turns, leased activities.
async fn counted(subject: &Subject) -> [u64; 5] {
    let Stats { instances, turn_messages, activities, turns_leased, activities_leased, .. } = subject.stats().await;
    [instances, turn_messages, activities, turns_leased, activities_leased]
}

pub async fn an_instance_counts_once_through_all_its_executions(subject: Subject) {
    subject.commit(None, vec![create("a", 1)]).await;
    subject.commit(None, vec![create("a", 2), append("a", 2, 1, &["one"])]).await;
    subject.commit(None, vec![put("a", "k", Some("v")), create("a", 3)]).await;
    assert_eq!(counted(&subject).await, [1, 0, 0, 0, 0]);
}

pub async fn a_message_makes_no_instance(subject: Subject) {
    subject.commit(None, vec![send("a", "m"), schedule("b", "job")]).await;
    assert_eq!(counted(&subject).await, [0, 1, 1, 0, 0]);
}

pub async fn what_is_there_already_is_not_counted_again(subject: Subject) {
    for _ in 0..3 {
        subject.commit(None, vec![send("a", "m"), send("a", "m"), schedule("a", "job")]).await;
        assert_eq!(counted(&subject).await, [0, 1, 1, 0, 0]);
    }
}

pub async fn what_waits_for_its_time_counts(subject: Subject) {
    subject.commit(None, vec![send_at("a", "timer", subject.in_time(1_000))]).await;
    assert_eq!(counted(&subject).await, [0, 1, 0, 0, 0]);
    assert!(subject.turns(10).await.is_empty());
}

pub async fn messages_count_until_they_are_acknowledged(subject: Subject) {
    subject.commit(None, vec![send("a", "1"), send("a", "2"), send("a", "3")]).await;
    let turn = subject.turn().await;
    assert_eq!(counted(&subject).await, [0, 3, 0, 1, 0]);
    subject.commit(Some(&turn.lock_token), vec![ack("a", &["1", "3", "3", "unknown"])]).await;
    assert_eq!(counted(&subject).await, [0, 1, 0, 1, 0]);
    subject.commit(Some(&turn.lock_token), vec![release()]).await;
    assert_eq!(counted(&subject).await, [0, 1, 0, 0, 0]);
}

pub async fn cancelled_messages_do_not_count(subject: Subject) {
    subject.commit(None, vec![send("a", "1"), send("a", "2"), schedule("a", "1"), schedule("a", "2")]).await;
    let ops = vec![cancel(Queue::Turns(id("a")), &["1", "1", "x"]), cancel(Queue::Activities(id("a")), &["2", "x"])];
    subject.commit(None, ops).await;
    assert_eq!(counted(&subject).await, [0, 1, 1, 0, 0]);
}

pub async fn a_leased_activity_counts_as_both(subject: Subject) {
    subject.commit(None, vec![schedule("a", "1"), schedule("a", "2")]).await;
    let job = subject.activities(1).await.remove(0);
    assert_eq!(counted(&subject).await, [0, 0, 2, 0, 1]);
    subject.commit(None, vec![ack_work(&job.lock_token)]).await;
    assert_eq!(counted(&subject).await, [0, 0, 1, 0, 0]);
}

pub async fn a_retried_activity_is_not_leased_and_still_counts(subject: Subject) {
    subject.commit(None, vec![schedule("a", "job")]).await;
    for _ in 0..3 {
        let job = subject.activity().await;
        assert_eq!(counted(&subject).await, [0, 0, 1, 0, 1]);
        subject.commit(None, vec![retry(&job.lock_token, Duration::from_secs(9), "again")]).await;
        assert_eq!(counted(&subject).await, [0, 0, 1, 0, 0]);
        subject.clock.advance(Duration::from_secs(9));
    }
}

pub async fn cancelling_leased_work_ends_its_lease_in_the_numbers(subject: Subject) {
    subject.commit(None, vec![schedule("a", "1"), schedule("a", "2")]).await;
    let _jobs = subject.activities(2).await;
    subject.commit(None, vec![cancel(Queue::Activities(id("a")), &["1"])]).await;
    assert_eq!(counted(&subject).await, [0, 0, 1, 0, 1]);
}

pub async fn expired_leases_do_not_count(subject: Subject) {
    subject.commit(None, vec![send("a", "m"), send("b", "m"), schedule("a", "job")]).await;
    let (turns, _job) = (subject.turns(2).await, subject.activity().await);
    assert_eq!(counted(&subject).await, [0, 2, 1, 2, 1]);
    subject.clock.advance(TTL / 2);
    subject.renew(&turns[0].lock_token).await;
    subject.clock.advance(TTL / 2);
    assert_eq!(counted(&subject).await, [0, 2, 1, 1, 0]);
}

pub async fn a_lease_on_nothing_counts_while_it_is_out(subject: Subject) {
    let turn = subject.turn_of("a").await;
    assert_eq!(counted(&subject).await, [0, 0, 0, 1, 0]);
    subject.commit(Some(&turn.lock_token), vec![release()]).await;
    assert_eq!(counted(&subject).await, [0; 5]);
    let _turn = subject.turn_of("a").await;
    subject.clock.advance(TTL);
    assert_eq!(counted(&subject).await, [0; 5]);
}

pub async fn a_deleted_instance_takes_all_its_numbers_along(subject: Subject) {
    for name in ["a", "b"] {
        let ops = vec![create(name, 1), send(name, "1"), send(name, "2"), schedule(name, "1"), schedule(name, "2")];
        subject.commit(None, ops).await;
    }
    let (_turns, _jobs) = (subject.turns(2).await, subject.activities(3).await);
    assert_eq!(counted(&subject).await, [2, 4, 4, 2, 3]);
    subject.commit(None, vec![delete("a")]).await;
    assert_eq!(counted(&subject).await, [1, 2, 2, 1, 1]);
    subject.commit(None, vec![delete("b"), delete("b"), delete("a")]).await;
    assert_eq!(counted(&subject).await, [0; 5]);
}

pub async fn what_was_made_and_deleted_in_one_transaction_does_not_count(subject: Subject) {
    subject.commit(None, vec![create("a", 1), send("a", "m"), schedule("a", "job"), delete("a")]).await;
    assert_eq!(counted(&subject).await, [0; 5]);
    subject.commit(None, vec![create("a", 1), delete("a"), create("a", 1), send("a", "m")]).await;
    assert_eq!(counted(&subject).await, [1, 1, 0, 0, 0]);
}

pub async fn refused_and_repeated_transactions_do_not_count(subject: Subject) {
    let transaction = subject.transaction(None, vec![create("a", 1), send("a", "m"), schedule("a", "job")]);
    for _ in 0..3 {
        subject.provider.atomic_batch(transaction.clone()).await.unwrap();
        subject.refused(None, vec![create("b", 1), send("b", "m"), schedule("b", "job"), create("a", 1)]).await;
        assert_eq!(counted(&subject).await, [1, 1, 1, 0, 0]);
    }
}

pub async fn work_that_is_given_back_is_not_leased_and_still_counts(subject: Subject) {
    subject.commit(None, vec![schedule("a", "1"), schedule("a", "2")]).await;
    let jobs = subject.activities(2).await;
    subject.commit(None, vec![put_back(&jobs[0].lock_token, 0, false), put_back(&jobs[1].lock_token, 9, true)]).await;
    assert_eq!(counted(&subject).await, [0, 0, 2, 0, 0]);
}
