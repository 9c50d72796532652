//! Renewing: from now on, each token for itself, answered in the order asked.

use std::time::Duration;

use super::kit::*;
use crate::clock::Clock;
use crate::providers::{ActivityRequest, CommitError, Queue, Renewal};

pub async fn renewing_answers_in_the_order_asked(subject: Subject) {
    for name in ["a", "b", "c"] {
        subject.commit(None, vec![send(name, "m"), schedule(name, "job")]).await;
    }
    let (turns, jobs) = (subject.turns(3).await, subject.activities(3).await);
    let lost = turns[1].lock_token.clone();
    subject.commit(Some(&lost), vec![release()]).await;
    let tokens = [&jobs[2].lock_token, &lost, &turns[0].lock_token, &jobs[2].lock_token, &lost, &turns[2].lock_token];
    let tokens: Vec<_> = tokens.into_iter().cloned().collect();
    let until = Renewal::Until(subject.clock.now().saturating_add(TTL));
    let answers = subject.provider.renew(&tokens, TTL).await.unwrap();
    assert_eq!(answers, [until, Renewal::Lost, until, until, Renewal::Lost, until]);
}

pub async fn renewing_nothing_answers_nothing(subject: Subject) {
    assert!(subject.provider.renew(&[], TTL).await.unwrap().is_empty());
}

pub async fn renewing_hundreds_answers_each(subject: Subject) {
    let jobs: Vec<_> = (0..300).map(|n| work(&n.to_string())).collect();
    subject.commit(None, vec![enqueue(Queue::Activities(id("a")), jobs)]).await;
    let tokens: Vec<_> = subject.activities(300).await.into_iter().map(|job| job.lock_token).collect();
    subject.commit(None, tokens.iter().step_by(2).map(ack_work).collect()).await;
    let answers = subject.provider.renew(&tokens, TTL).await.unwrap();
    let lost: Vec<bool> = answers.iter().map(|answer| *answer == Renewal::Lost).collect();
    assert_eq!(lost, (0..300).map(|n| n % 2 == 0).collect::<Vec<_>>());
}

pub async fn a_renewal_may_shorten_a_lease(subject: Subject) {
    subject.start("a").await;
    let token = subject.turn().await.lock_token;
    let until = subject.in_time(1);
    let answer = subject.provider.renew(std::slice::from_ref(&token), Duration::from_secs(1)).await.unwrap();
    assert_eq!(answer, [Renewal::Until(until)]);
    subject.clock.set(until);
    assert_eq!(subject.turn().await.attempt, 2);
}

pub async fn a_renewed_token_stays_the_same(subject: Subject) {
    subject.start("a").await;
    let token = subject.turn().await.lock_token;
    subject.clock.advance(TTL / 2);
    subject.renew(&token).await;
    subject.clock.advance(TTL - Duration::from_millis(1));
    subject.commit(Some(&token), vec![append("a", 1, 1, &["in time"]), release()]).await;
}

pub async fn renewing_one_lease_does_not_prolong_another(subject: Subject) {
    subject.start("a").await;
    subject.start("b").await;
    let (a, b) = (subject.turn_of("a").await.lock_token, subject.turn_of("b").await.lock_token);
    subject.clock.advance(TTL / 2);
    subject.renew(&a).await;
    subject.clock.advance(TTL / 2);
    assert_eq!(subject.turn().await.instance, b.instance);
}

pub async fn renewing_a_turn_does_not_prolong_its_activities(subject: Subject) {
    subject.commit(None, vec![send("a", "m"), schedule("a", "job")]).await;
    let (turn, _job) = (subject.turn().await, subject.activity().await);
    subject.clock.advance(TTL / 2);
    subject.renew(&turn.lock_token).await;
    subject.clock.advance(TTL / 2);
    assert_eq!(subject.activity().await.attempt, 2);
    assert!(subject.turns(10).await.is_empty());
}

pub async fn a_renewed_activity_is_not_handed_out(subject: Subject) {
    subject.commit(None, vec![schedule("a", "job")]).await;
    let token = subject.activity().await.lock_token;
    for _ in 0..4 {
        subject.clock.advance(TTL - Duration::from_millis(1));
        let until = subject.clock.now().saturating_add(TTL);
        assert_eq!(subject.renew(&token).await, Renewal::Until(until));
        assert!(subject.activities(10).await.is_empty());
    }
    subject.clock.advance(TTL);
    assert_eq!(subject.activity().await.attempt, 2);
}

pub async fn an_activity_lease_lasts_from_the_moment_it_is_granted(subject: Subject) {
    subject.commit(None, vec![schedule("a", "job")]).await;
    subject.clock.advance(LONG);
    let job = subject.activity().await;
    subject.clock.advance(TTL - Duration::from_millis(1));
    assert!(subject.activities(10).await.is_empty());
    subject.commit(None, vec![ack_work(&job.lock_token)]).await;
}

pub async fn each_activity_lease_is_as_long_as_its_worker_asked(subject: Subject) {
    subject.commit(None, vec![schedule("a", "1"), schedule("a", "2")]).await;
    let short = ActivityRequest { ttl: Duration::from_secs(1), ..any_activity(1) };
    let short = only(subject.provider.fetch_activities(short).await.unwrap());
    let long = ActivityRequest { ttl: Duration::from_secs(100), ..any_activity(1) };
    let long = only(subject.provider.fetch_activities(long).await.unwrap());
    subject.clock.advance(Duration::from_secs(1));
    assert_eq!(subject.renew(&short.lock_token).await, Renewal::Lost);
    assert_eq!(subject.activity().await.id, short.id);
    subject.clock.advance(Duration::from_secs(98));
    assert!(matches!(subject.renew(&long.lock_token).await, Renewal::Until(_)));
}

pub async fn an_expired_activity_lease_cannot_be_renewed(subject: Subject) {
    subject.commit(None, vec![schedule("a", "job")]).await;
    let token = subject.activity().await.lock_token;
    subject.clock.advance(TTL);
    assert_eq!(subject.renew(&token).await, Renewal::Lost);
    let late = subject.refused(None, vec![retry(&token, Duration::ZERO, "late")]).await;
    assert!(matches!(late, CommitError::WorkGone(lost) if lost == token));
    assert_eq!(text(&subject.activity().await.data), "job");
}

pub async fn an_expired_lease_without_messages_is_free(subject: Subject) {
    let old = subject.turn_of("a").await.lock_token;
    assert!(subject.turns_of("a").await.is_empty());
    subject.clock.advance(TTL);
    let new = subject.turn_of("a").await.lock_token;
    assert!(old.fence < new.fence);
    assert_eq!(subject.renew(&old).await, Renewal::Lost);
}
