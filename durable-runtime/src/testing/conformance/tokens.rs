//! What a token is good for, and what it is not.

use std::time::Duration;

use super::kit::*;
use crate::clock::{Clock, Timestamp};
use crate::ids::LockToken;
use crate::providers::{CommitError, Queue, Renewal, TurnRequest};

async fn lease_lost(subject: &Subject, token: &LockToken) {
    let before = subject.seen().await;
    for op in [append("a", 1, 1, &["late"]), send("z", "late"), put("a", "k", Some("late")), delete("a"), release()] {
        let error = subject.refused(Some(token), vec![op]).await;
        assert!(matches!(&error, CommitError::LeaseLost(lost) if lost == token), "{error:?}");
    }
    assert_eq!(subject.seen().await, before);
}

pub async fn a_token_says_what_it_is_for_and_since_when(subject: Subject) {
    subject.start("order-42").await;
    subject.commit(None, vec![schedule("order-42", "job")]).await;
    let (turn, job) = (subject.turn().await, subject.activity().await);
    let now = subject.clock.now().as_millis();
    for token in [turn.lock_token, job.lock_token] {
        assert_eq!((token.instance.as_str(), token.execution_id.0, token.granted_at_ms), ("order-42", 1, now));
        assert_eq!(token.to_string(), format!("order-42-1-{now}-{}", token.fence));
    }
}

pub async fn a_released_lease_writes_nothing(subject: Subject) {
    subject.start("a").await;
    let token = subject.turn().await.lock_token;
    subject.commit(Some(&token), vec![release()]).await;
    lease_lost(&subject, &token).await;
}

pub async fn a_released_lease_cannot_be_renewed(subject: Subject) {
    subject.start("a").await;
    let token = subject.turn().await.lock_token;
    subject.commit(Some(&token), vec![release()]).await;
    assert_eq!(subject.renew(&token).await, Renewal::Lost);
    assert_eq!(subject.turns(10).await.len(), 1);
}

pub async fn a_lease_holds_over_many_transactions(subject: Subject) {
    subject.start("a").await;
    let token = subject.turn().await.lock_token;
    for number in 1..=20 {
        subject.commit(Some(&token), vec![append("a", 1, number, &["event"])]).await;
        assert!(subject.turns(10).await.is_empty());
    }
    subject.commit(Some(&token), vec![ack("a", &["start"]), release()]).await;
}

pub async fn a_transaction_does_not_prolong_its_lease(subject: Subject) {
    subject.start("a").await;
    let token = subject.turn().await.lock_token;
    subject.clock.advance(TTL / 2);
    subject.commit(Some(&token), vec![put("a", "k", Some("v"))]).await;
    subject.clock.advance(TTL / 2);
    lease_lost(&subject, &token).await;
}

pub async fn a_refused_transaction_does_not_end_its_lease(subject: Subject) {
    subject.start("a").await;
    let token = subject.turn().await.lock_token;
    subject.refused(Some(&token), vec![release(), append("a", 1, 9, &["gap"])]).await;
    assert!(subject.turns(10).await.is_empty());
    assert!(matches!(subject.renew(&token).await, Renewal::Until(_)));
}

pub async fn a_fence_leases_one_instance_and_may_write_to_others(subject: Subject) {
    subject.start("a").await;
    let token = subject.turn().await.lock_token;
    let ops = vec![create("child", 1), send("child", "start"), send("b", "m"), schedule("a", "job"), release()];
    subject.commit(Some(&token), ops).await;
    assert!(subject.exists("child").await);
    assert_eq!(subject.turns(10).await.len(), 3);
}

pub async fn an_activity_token_is_no_fence(subject: Subject) {
    subject.start("a").await;
    subject.commit(None, vec![schedule("a", "job")]).await;
    let token = subject.activity().await.lock_token;
    lease_lost(&subject, &token).await;
    subject.commit(None, vec![ack_work(&token)]).await;
}

pub async fn a_turn_token_finishes_no_activity(subject: Subject) {
    subject.start("a").await;
    subject.commit(None, vec![schedule("a", "job")]).await;
    let token = subject.turn().await.lock_token;
    for op in [ack_work(&token), retry(&token, Duration::ZERO, "x")] {
        assert!(matches!(subject.refused(Some(&token), vec![op]).await, CommitError::WorkGone(_)));
    }
    assert_eq!(text(&subject.activity().await.data), "job");
}

pub async fn a_token_of_a_deleted_instance_is_worthless_for_its_successor(subject: Subject) {
    subject.start("a").await;
    let old = subject.turn().await.lock_token;
    subject.commit(None, vec![delete("a")]).await;
    subject.start("a").await;
    lease_lost(&subject, &old).await;
    let new = subject.turn().await.lock_token;
    lease_lost(&subject, &old).await;
    assert!(old.fence < new.fence);
    assert_eq!(subject.renew(&old).await, Renewal::Lost);
    assert!(matches!(subject.renew(&new).await, Renewal::Until(_)));
}

pub async fn the_leases_of_one_fetch_have_fences_of_their_own(subject: Subject) {
    for name in ["a", "b", "c", "d"] {
        subject.commit(None, vec![send(name, "m"), schedule(name, "job")]).await;
    }
    let turns = subject.turns(10).await.into_iter().map(|turn| turn.lock_token.fence);
    let jobs = subject.activities(10).await.into_iter().map(|job| job.lock_token.fence);
    let fences: std::collections::BTreeSet<u64> = turns.chain(jobs).collect();
    assert_eq!(fences.len(), 8);
}

pub async fn a_lease_on_an_older_grant_is_worthless_even_if_renewed_in_between(subject: Subject) {
    subject.start("a").await;
    let old = subject.turn().await.lock_token;
    subject.clock.advance(TTL / 2);
    assert!(matches!(subject.renew(&old).await, Renewal::Until(_)));
    subject.clock.advance(TTL);
    let new = subject.turn().await.lock_token;
    lease_lost(&subject, &old).await;
    subject.commit(Some(&new), vec![append("a", 1, 1, &["new"]), release()]).await;
}

pub async fn work_without_a_lease_does_not_end_a_lease(subject: Subject) {
    subject.start("a").await;
    let token = subject.turn().await.lock_token;
    subject.commit(None, vec![send("a", "m"), schedule("a", "job"), put("a", "k", Some("v"))]).await;
    assert!(subject.turns(10).await.is_empty());
    subject.commit(Some(&token), vec![ack("a", &["start"]), release()]).await;
    assert_eq!(ids(&subject.turn().await), ["m"]);
}

pub async fn who_is_overtaken_by_a_final_disposition_hears_of_a_conflict(subject: Subject) {
    subject.start("a").await;
    let token = subject.turn().await.lock_token;
    subject.commit(None, vec![append("a", 1, 1, &["terminated"])]).await;
    let error = subject.refused(Some(&token), vec![append("a", 1, 1, &["mine"]), release()]).await;
    assert!(matches!(error, CommitError::HistoryConflict { expected, .. } if expected.0 == 2));
    assert_eq!(subject.history("a", 1).await, ["terminated"]);
}

pub async fn cancelling_needs_no_lease(subject: Subject) {
    subject.commit(None, vec![send("a", "m"), schedule("a", "job")]).await;
    let _turn = subject.turn().await;
    let ops = vec![cancel(Queue::Turns(id("a")), &["m"]), cancel(Queue::Activities(id("a")), &["job"])];
    subject.commit(None, ops).await;
    assert_eq!((subject.stats().await.turn_messages, subject.stats().await.activities), (0, 0));
}

pub async fn a_lease_of_no_length_writes_nothing(subject: Subject) {
    subject.start("a").await;
    let want = TurnRequest { ttl: Duration::ZERO, ..any_turn(1) };
    for turn in subject.provider.fetch_turns(want).await.unwrap() {
        lease_lost(&subject, &turn.lock_token).await;
    }
    assert_eq!(ids(&subject.turn().await), ["start"]);
}

pub async fn the_longest_lease_ends_with_the_time(subject: Subject) {
    subject.start("a").await;
    let want = TurnRequest { ttl: Duration::MAX, ..any_turn(1) };
    let token = only(subject.provider.fetch_turns(want).await.unwrap()).lock_token;
    subject.clock.advance(LONG);
    assert!(subject.turns(10).await.is_empty());
    subject.commit(Some(&token), vec![append("a", 1, 1, &["late, but in time"])]).await;
    let renewed = subject.provider.renew(std::slice::from_ref(&token), Duration::MAX).await.unwrap();
    assert_eq!(renewed, [Renewal::Until(Timestamp::MAX)]);
}

pub async fn a_clock_that_is_set_back_frees_no_lease(subject: Subject) {
    subject.clock.advance(LONG);
    subject.start("a").await;
    let token = subject.turn().await.lock_token;
    subject.clock.set(Timestamp::from_millis(subject.clock.now().as_millis() - 1_000_000));
    assert!(subject.turns(10).await.is_empty());
    subject.commit(Some(&token), vec![ack("a", &["start"]), append("a", 1, 1, &["one"]), release()]).await;
    assert_eq!(subject.stats().await.turns_leased, 0);
}

pub async fn fences_grow_though_the_clock_is_set_back(subject: Subject) {
    let mut last = 0;
    for round in 0..5 {
        subject.commit(None, vec![send_at("a", &round.to_string(), Timestamp::EPOCH)]).await;
        let token = subject.turn().await.lock_token;
        assert!(last < token.fence);
        assert_eq!(token.granted_at_ms, subject.clock.now().as_millis());
        last = token.fence;
        subject.commit(Some(&token), vec![ack("a", &[&round.to_string()]), release()]).await;
        subject.clock.set(Timestamp::from_millis(subject.clock.now().as_millis() - 60_000));
    }
}
