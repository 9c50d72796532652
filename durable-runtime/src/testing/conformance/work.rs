//! What becomes of an activity: done, put back, cancelled.

use std::time::Duration;

use bytes::Bytes;

use super::kit::*;
use crate::ids::ExecutionId;
use crate::providers::{CommitError, NewMessage, Queue, Renewal};

fn queue() -> Queue {
    Queue::Activities(id("a"))
}

pub async fn an_activity_that_is_there_stays_as_it_is(subject: Subject) {
    subject.commit(None, vec![schedule("a", "job")]).await;
    let other = NewMessage { data: Bytes::from_static(b"other"), topic: "other".to_owned(), ..work("job") };
    subject.commit(None, vec![enqueue(queue(), vec![other])]).await;
    assert_eq!(text(&subject.activity().await.data), "job");
    assert_eq!(subject.stats().await.activities, 1);
}

pub async fn a_leased_activity_is_there_too(subject: Subject) {
    subject.commit(None, vec![schedule("a", "job")]).await;
    let job = subject.activity().await;
    subject.commit(None, vec![schedule("a", "job")]).await;
    assert!(subject.activities(10).await.is_empty());
    subject.commit(None, vec![ack_work(&job.lock_token)]).await;
    assert_eq!(subject.stats().await.activities, 0);
}

pub async fn an_activity_id_can_be_used_again_once_it_is_done(subject: Subject) {
    for _ in 0..3 {
        subject.commit(None, vec![schedule("a", "job")]).await;
        let job = subject.activity().await;
        assert_eq!(job.attempt, 1);
        subject.commit(None, vec![ack_work(&job.lock_token)]).await;
    }
}

pub async fn one_id_in_two_instances_names_two_activities(subject: Subject) {
    subject.commit(None, vec![schedule("a", "job"), schedule("b", "job")]).await;
    let jobs = subject.activities(10).await;
    assert_eq!(jobs.iter().map(|job| job.instance.as_str()).collect::<Vec<_>>(), ["a", "b"]);
    subject.commit(None, vec![ack_work(&jobs[0].lock_token)]).await;
    assert!(matches!(subject.renew(&jobs[1].lock_token).await, Renewal::Until(_)));
}

pub async fn an_activity_and_a_message_may_have_one_id(subject: Subject) {
    subject.commit(None, vec![schedule("a", "x"), send("a", "x")]).await;
    subject.commit(None, vec![cancel(Queue::Turns(id("a")), &["x"])]).await;
    assert!(subject.turns(10).await.is_empty());
    assert_eq!(subject.activity().await.id, message_id("x"));
    subject.commit(None, vec![send("a", "x"), cancel(queue(), &["x"])]).await;
    assert_eq!(ids(&subject.turn().await), ["x"]);
}

pub async fn finishing_one_leaves_the_others_leased(subject: Subject) {
    subject.commit(None, vec![schedule("a", "1"), schedule("a", "2"), schedule("a", "3")]).await;
    let jobs = subject.activities(3).await;
    subject.commit(None, vec![ack_work(&jobs[1].lock_token)]).await;
    assert!(subject.activities(10).await.is_empty());
    subject.commit(None, vec![ack_work(&jobs[2].lock_token), ack_work(&jobs[0].lock_token)]).await;
    assert_eq!(subject.stats().await.activities, 0);
}

pub async fn an_activity_is_finished_or_put_back_but_not_both(subject: Subject) {
    subject.commit(None, vec![schedule("a", "job")]).await;
    let token = subject.activity().await.lock_token;
    let (done, again) = (ack_work(&token), retry(&token, Duration::ZERO, "again"));
    for ops in [[done.clone(), again.clone()], [again, done.clone()]] {
        assert!(matches!(subject.refused(None, ops.to_vec()).await, CommitError::WorkGone(_)));
    }
    subject.commit(None, vec![done]).await;
}

pub async fn an_activity_cancelled_by_the_same_transaction_is_gone(subject: Subject) {
    subject.commit(None, vec![schedule("a", "job")]).await;
    let token = subject.activity().await.lock_token;
    let error = subject.refused(None, vec![cancel(queue(), &["job"]), ack_work(&token)]).await;
    assert!(matches!(error, CommitError::WorkGone(_)));
    subject.commit(None, vec![ack_work(&token), cancel(queue(), &["job"])]).await;
}

pub async fn an_activity_deleted_by_the_same_transaction_is_gone(subject: Subject) {
    subject.commit(None, vec![create("a", 1), schedule("a", "job")]).await;
    let token = subject.activity().await.lock_token;
    let error = subject.refused(None, vec![delete("a"), ack_work(&token)]).await;
    assert!(matches!(error, CommitError::WorkGone(_)));
    assert!(subject.exists("a").await);
}

pub async fn an_activity_put_and_cancelled_in_one_transaction_never_was(subject: Subject) {
    subject.commit(None, vec![schedule("a", "job"), cancel(queue(), &["job"])]).await;
    assert!(subject.activities(10).await.is_empty());
    assert_eq!(subject.stats().await.activities, 0);
}

pub async fn an_activity_cancelled_and_put_in_one_transaction_is_another(subject: Subject) {
    subject.commit(None, vec![schedule("a", "job")]).await;
    let old = subject.activity().await;
    let new = NewMessage { data: Bytes::from_static(b"new"), ..work("job") };
    subject.commit(None, vec![cancel(queue(), &["job"]), enqueue(queue(), vec![new])]).await;
    assert_eq!(subject.renew(&old.lock_token).await, Renewal::Lost);
    let job = subject.activity().await;
    assert_eq!((text(&job.data).as_str(), job.attempt), ("new", 1));
    assert!(matches!(subject.refused(None, vec![ack_work(&old.lock_token)]).await, CommitError::WorkGone(_)));
    subject.commit(None, vec![ack_work(&job.lock_token)]).await;
}

pub async fn a_retry_without_delay_is_there_at_once(subject: Subject) {
    subject.commit(None, vec![schedule("a", "job")]).await;
    for attempt in 1..=4 {
        let job = subject.activity().await;
        assert_eq!(job.attempt, attempt);
        subject.commit(None, vec![retry(&job.lock_token, Duration::ZERO, &attempt.to_string())]).await;
    }
    assert_eq!(text(&subject.activity().await.data), "4");
}

pub async fn the_delay_of_a_retry_counts_from_the_transaction(subject: Subject) {
    subject.commit(None, vec![schedule("a", "job")]).await;
    let job = subject.activity().await;
    subject.clock.advance(TTL / 2);
    subject.commit(None, vec![retry(&job.lock_token, Duration::from_secs(10), "again")]).await;
    subject.clock.advance(Duration::from_millis(9_999));
    assert!(subject.activities(10).await.is_empty());
    subject.clock.advance(Duration::from_millis(1));
    assert_eq!(subject.activity().await.attempt, 2);
}

pub async fn the_longest_delay_of_a_retry_does_not_overflow(subject: Subject) {
    subject.commit(None, vec![schedule("a", "job")]).await;
    let job = subject.activity().await;
    subject.commit(None, vec![retry(&job.lock_token, Duration::MAX, "never")]).await;
    subject.clock.advance(LONG);
    assert!(subject.activities(10).await.is_empty());
    subject.commit(None, vec![cancel(queue(), &["job"])]).await;
    assert_eq!(subject.stats().await.activities, 0);
}

pub async fn an_activity_that_waits_for_its_retry_can_be_cancelled(subject: Subject) {
    subject.commit(None, vec![schedule("a", "job")]).await;
    let job = subject.activity().await;
    subject.commit(None, vec![retry(&job.lock_token, Duration::from_secs(10), "again")]).await;
    subject.commit(None, vec![cancel(queue(), &["job"])]).await;
    subject.clock.advance(LONG);
    assert!(subject.activities(10).await.is_empty());
    assert_eq!(subject.stats().await.activities, 0);
}

pub async fn cancelling_many_leaves_the_rest(subject: Subject) {
    let names: Vec<String> = (0..30).map(|n| n.to_string()).collect();
    subject.commit(None, vec![enqueue(queue(), names.iter().map(|name| work(name)).collect())]).await;
    let _leased = subject.activities(10).await;
    let odd: Vec<&str> = names.iter().skip(1).step_by(2).map(String::as_str).collect();
    subject.commit(None, vec![cancel(queue(), &odd)]).await;
    assert_eq!(subject.stats().await.activities, 15);
    subject.clock.advance(TTL);
    let left: Vec<_> = subject.activities(100).await.into_iter().map(|job| job.id.to_string()).collect();
    assert_eq!(left, names.iter().step_by(2).cloned().collect::<Vec<_>>());
}

pub async fn cancelling_in_one_instance_spares_another(subject: Subject) {
    subject.commit(None, vec![schedule("a", "job"), schedule("b", "job"), send("b", "job")]).await;
    subject.commit(None, vec![cancel(queue(), &["job"])]).await;
    assert_eq!(subject.activity().await.instance, id("b"));
    assert_eq!(subject.turn().await.instance, id("b"));
}

pub async fn an_activity_outlives_the_execution_that_asked_for_it(subject: Subject) {
    subject.commit(None, vec![create("a", 1), schedule("a", "job")]).await;
    let job = subject.activity().await;
    subject.commit(None, vec![create("a", 2)]).await;
    assert!(matches!(subject.renew(&job.lock_token).await, Renewal::Until(_)));
    subject.commit(None, vec![ack_work(&job.lock_token), send("a", "late")]).await;
    assert_eq!(ids(&subject.turn().await), ["late"]);
}

pub async fn an_activity_token_names_the_execution_that_asked(subject: Subject) {
    let of = |execution, name| NewMessage { execution_id: ExecutionId(execution), ..work(name) };
    subject.commit(None, vec![create("a", 1), create("a", 2)]).await;
    subject.commit(None, vec![enqueue(queue(), vec![of(1, "old"), of(2, "new")])]).await;
    let jobs = subject.activities(10).await;
    assert_eq!(jobs.iter().map(|job| job.lock_token.execution_id.0).collect::<Vec<_>>(), [1, 2]);
}

pub async fn the_end_of_work_and_its_message_are_one(subject: Subject) {
    subject.commit(None, vec![create("a", 1), schedule("a", "job")]).await;
    let job = subject.activity().await;
    subject.clock.advance(TTL);
    let error = subject.refused(None, vec![send("a", "done"), ack_work(&job.lock_token)]).await;
    assert!(matches!(error, CommitError::WorkGone(_)));
    assert!(subject.turns(10).await.is_empty());
}

pub async fn attempts_are_counted_for_each_activity(subject: Subject) {
    subject.commit(None, vec![schedule("a", "1"), schedule("a", "2")]).await;
    for round in 1..=3 {
        let jobs = subject.activities(10).await;
        assert_eq!(jobs.iter().map(|job| job.attempt).collect::<Vec<_>>(), [round, round]);
        subject.clock.advance(TTL);
    }
    let first = subject.activities(1).await.remove(0);
    subject.commit(None, vec![ack_work(&first.lock_token)]).await;
    assert_eq!(subject.activity().await.attempt, 4);
}
