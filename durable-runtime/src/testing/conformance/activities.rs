//! Activities: handed out one by one, each under a lease of its own.

use std::time::Duration;

use super::kit::*;
use crate::ids::ExecutionId;
use crate::providers::{ActivityRequest, CommitError, NewMessage, Queue, Renewal};

pub async fn activities_come_in_order(subject: Subject) {
    subject.commit(None, vec![schedule("b", "1"), schedule("a", "2"), schedule("b", "3")]).await;
    subject.commit(None, vec![schedule("a", "4")]).await;
    let mut order = Vec::new();
    for _ in 0..4 {
        order.push(text(&only(subject.activities(1).await).data));
    }
    assert_eq!(order, ["1", "2", "3", "4"]);
}

pub async fn a_worker_gets_the_topics_it_asks_for(subject: Subject) {
    let other = NewMessage { topic: "other".to_owned(), ..message("1") };
    subject.commit(None, vec![enqueue(Queue::Activities(id("a")), vec![other, work("2")])]).await;
    assert_eq!(subject.activity().await.id, message_id("2"));
    let want = ActivityRequest { topics: ["x".to_owned(), "other".to_owned()].into(), ..any_activity(10) };
    assert_eq!(only(subject.provider.fetch_activities(want).await.unwrap()).id, message_id("1"));
}

pub async fn a_tag_is_for_workers_that_ask_for_it(subject: Subject) {
    let tagged = NewMessage { tag: Some("gpu".to_owned()), ..work("1") };
    subject.commit(None, vec![enqueue(Queue::Activities(id("a")), vec![tagged, work("2"), work("3")])]).await;
    assert_eq!(only(subject.activities(1).await).id, message_id("2"));
    let want = ActivityRequest { tags: ["gpu".to_owned()].into(), ..any_activity(10) };
    let got = subject.provider.fetch_activities(want).await.unwrap();
    assert_eq!(got.iter().map(|activity| activity.id.as_str()).collect::<Vec<_>>(), ["1", "3"]);
}

pub async fn an_activity_has_a_lease_of_its_own(subject: Subject) {
    let second = NewMessage { execution_id: ExecutionId(7), ..work("2") };
    subject.commit(None, vec![enqueue(Queue::Activities(id("a")), vec![work("1"), second])]).await;
    let got = subject.activities(10).await;
    assert_eq!(got.len(), 2);
    assert!(got[0].lock_token.fence < got[1].lock_token.fence);
    assert_eq!((got[0].lock_token.execution_id.0, got[1].lock_token.execution_id.0), (1, 7));
    subject.commit(None, vec![ack_work(&got[0].lock_token)]).await;
    assert!(matches!(subject.renew(&got[1].lock_token).await, Renewal::Until(_)));
}

pub async fn a_done_activity_is_gone(subject: Subject) {
    subject.commit(None, vec![schedule("a", "1")]).await;
    let token = subject.activity().await.lock_token;
    subject.commit(None, vec![ack_work(&token), send("a", "done")]).await;
    subject.clock.advance(LONG);
    assert!(subject.activities(10).await.is_empty());
    assert_eq!(ids(&subject.turn().await), ["done"]);
}

pub async fn a_token_works_once(subject: Subject) {
    subject.commit(None, vec![schedule("a", "1")]).await;
    let token = subject.activity().await.lock_token;
    subject.commit(None, vec![ack_work(&token)]).await;
    let again = subject.try_commit(None, vec![ack_work(&token), send("a", "done")]).await;
    assert!(matches!(again, Err(CommitError::WorkGone(gone)) if gone == token));
    let twice = vec![schedule("a", "2")];
    subject.commit(None, twice).await;
    let token = subject.activity().await.lock_token;
    let both = subject.try_commit(None, vec![ack_work(&token), ack_work(&token)]).await;
    assert!(matches!(both, Err(CommitError::WorkGone(_))));
    assert!(subject.turns(10).await.is_empty());
}

pub async fn a_retried_activity_comes_back_later_and_changed(subject: Subject) {
    let tagged = NewMessage { execution_id: ExecutionId(3), ..work("1") };
    subject.commit(None, vec![enqueue(Queue::Activities(id("a")), vec![tagged])]).await;
    let first = subject.activity().await;
    let later = subject.in_time(60);
    subject.commit(None, vec![retry(&first.lock_token, Duration::from_secs(60), "changed")]).await;
    assert_eq!(subject.renew(&first.lock_token).await, Renewal::Lost);
    assert!(subject.activities(10).await.is_empty());
    subject.clock.set(later);
    let second = subject.activity().await;
    assert_eq!((text(&second.data).as_str(), second.attempt), ("changed", 2));
    assert_eq!(second.lock_token.execution_id.0, 3);
    let stale = subject.try_commit(None, vec![retry(&first.lock_token, Duration::ZERO, "stale")]).await;
    assert!(matches!(stale, Err(CommitError::WorkGone(_))));
}

pub async fn a_cancelled_activity_is_gone_for_its_worker(subject: Subject) {
    subject.commit(None, vec![schedule("a", "1"), schedule("a", "2")]).await;
    let token = subject.activities(1).await.remove(0).lock_token;
    subject.commit(None, vec![cancel(Queue::Activities(id("a")), &["1", "no such one"])]).await;
    assert_eq!(subject.renew(&token).await, Renewal::Lost);
    let late = subject.try_commit(None, vec![ack_work(&token), send("a", "done")]).await;
    assert!(matches!(late, Err(CommitError::WorkGone(_))));
    assert!(subject.turns(10).await.is_empty());
    assert_eq!(subject.activity().await.id, message_id("2"));
}

pub async fn an_expired_activity_is_handed_out_again(subject: Subject) {
    subject.commit(None, vec![schedule("a", "1")]).await;
    let first = subject.activity().await;
    subject.clock.advance(TTL);
    let second = subject.activity().await;
    assert_eq!((first.attempt, second.attempt), (1, 2));
    let late = subject.try_commit(None, vec![ack_work(&first.lock_token)]).await;
    assert!(matches!(late, Err(CommitError::WorkGone(_))));
    subject.commit(None, vec![ack_work(&second.lock_token)]).await;
}

pub async fn an_activity_that_waits_can_be_cancelled(subject: Subject) {
    subject.commit(None, vec![schedule("a", "1")]).await;
    subject.commit(None, vec![cancel(Queue::Activities(id("a")), &["1"])]).await;
    assert!(subject.activities(10).await.is_empty());
    assert_eq!(subject.provider.stats().await.unwrap().activities, 0);
}

pub async fn a_delayed_activity_is_not_early(subject: Subject) {
    let later = NewMessage { visible_at: Some(subject.in_time(60)), ..work("1") };
    subject.commit(None, vec![enqueue(Queue::Activities(id("a")), vec![later, work("2")])]).await;
    assert_eq!(subject.activity().await.id, message_id("2"));
    subject.clock.advance(std::time::Duration::from_millis(59_999));
    // The other one has expired by now, and is back.
    assert_eq!(subject.activity().await.id, message_id("2"));
    subject.clock.advance(std::time::Duration::from_millis(1));
    assert_eq!(subject.activity().await.id, message_id("1"));
}

pub async fn an_activity_lease_is_independent_of_the_fence(subject: Subject) {
    subject.start("a").await;
    subject.commit(None, vec![schedule("a", "1")]).await;
    let (turn, job) = (subject.turn().await, subject.activity().await);
    let ops = vec![ack_work(&job.lock_token), append("a", 1, 1, &["done"]), ack("a", &["start"]), release()];
    subject.commit(Some(&turn.lock_token), ops).await;
    assert_eq!(subject.history("a", 1).await, ["done"]);
}
