//! Leases and fences: one writer at a time, whoever comes late writes nothing.

use std::time::Duration;

use futures_util::FutureExt;

use super::kit::*;
use crate::clock::Clock;
use crate::ids::{ExecutionId, LockToken};
use crate::providers::{CommitError, ErrorKind, Queue, Renewal, TurnRequest};

async fn lost(subject: &Subject, token: &LockToken) {
    let ops = vec![append("a", 1, 1, &["late"]), send("b", "late"), ack("a", &["start"])];
    let result = subject.try_commit(Some(token), ops).await;
    assert!(matches!(&result, Err(CommitError::LeaseLost(lost)) if lost == token), "{result:?}");
    assert!(subject.history("a", 1).await.is_empty());
    assert!(subject.turns_of("b").await.remove(0).messages.is_empty());
}

pub async fn a_lease_is_exclusive(subject: Subject) {
    subject.start("a").await;
    let _turn = subject.turn().await;
    assert!(subject.turns(10).await.is_empty());
    assert!(subject.turns_of("a").await.is_empty());
}

pub async fn each_fence_is_larger_than_all_before(subject: Subject) {
    let mut last = 0;
    for round in 0..5 {
        subject.commit(None, vec![send("a", &round.to_string()), schedule("b", &round.to_string())]).await;
        let (turn, job) = (subject.turn().await, subject.activity().await);
        assert!(last < turn.lock_token.fence && turn.lock_token.fence < job.lock_token.fence);
        assert_eq!(turn.lock_token.granted_at_ms, subject.clock.now().as_millis());
        last = job.lock_token.fence;
        subject.clock.advance(LONG);
        subject.commit(None, vec![delete("a"), delete("b")]).await;
    }
}

pub async fn an_older_fence_writes_nothing(subject: Subject) {
    subject.start("a").await;
    let old = subject.turn().await;
    subject.clock.advance(TTL);
    let new = subject.turn().await;
    lost(&subject, &old.lock_token).await;
    subject.commit(Some(&new.lock_token), vec![append("a", 1, 1, &["new"])]).await;
}

pub async fn an_expired_lease_writes_nothing(subject: Subject) {
    subject.start("a").await;
    let turn = subject.turn().await;
    subject.clock.advance(TTL);
    lost(&subject, &turn.lock_token).await;
}

pub async fn a_lease_lasts_from_the_moment_it_is_granted(subject: Subject) {
    subject.start("a").await;
    subject.clock.advance(LONG);
    let turn = subject.turn().await;
    subject.clock.advance(TTL - Duration::from_millis(1));
    subject.commit(Some(&turn.lock_token), vec![append("a", 1, 1, &["in time"])]).await;
    assert!(subject.turns(10).await.is_empty());
    subject.clock.advance(Duration::from_millis(1));
    assert_eq!(subject.turn().await.history_len, 1);
}

pub async fn a_renewed_lease_lasts_from_the_moment_it_is_renewed(subject: Subject) {
    subject.start("a").await;
    let turn = subject.turn().await;
    for _ in 0..3 {
        subject.clock.advance(TTL / 2);
        let until = subject.clock.now().saturating_add(TTL);
        assert_eq!(subject.renew(&turn.lock_token).await, Renewal::Until(until));
    }
    subject.clock.advance(TTL - Duration::from_millis(1));
    assert!(subject.turns(10).await.is_empty());
    subject.clock.advance(Duration::from_millis(1));
    assert_eq!(subject.turns(10).await.len(), 1);
}

pub async fn an_expired_lease_cannot_be_renewed(subject: Subject) {
    subject.start("a").await;
    let old = subject.turn().await.lock_token;
    subject.clock.advance(TTL);
    assert_eq!(subject.renew(&old).await, Renewal::Lost);
    let new = subject.turn().await.lock_token;
    let answers = subject.provider.renew(&[old.clone(), new, old], TTL).await.unwrap();
    assert!(matches!(answers[..], [Renewal::Lost, Renewal::Until(_), Renewal::Lost]));
}

pub async fn a_forged_token_is_refused(subject: Subject) {
    subject.start("a").await;
    let token = subject.turn().await.lock_token;
    for forged in [
        LockToken { fence: token.fence + 1, ..token.clone() },
        LockToken { execution_id: ExecutionId(2), ..token.clone() },
        LockToken { granted_at_ms: 0, ..token.clone() },
        LockToken { instance: id("c"), ..token.clone() },
    ] {
        assert_eq!(subject.renew(&forged).await, Renewal::Lost);
        let result = subject.try_commit(Some(&forged), vec![release()]).await;
        assert!(matches!(result, Err(CommitError::LeaseLost(_))));
        assert!(matches!(subject.try_commit(None, vec![ack_work(&forged)]).await, Err(CommitError::WorkGone(_))));
    }
    assert!(matches!(subject.try_commit(None, vec![ack_work(&token)]).await, Err(CommitError::WorkGone(_))));
}

pub async fn acks_and_releases_need_the_fence(subject: Subject) {
    subject.start("a").await;
    subject.start("b").await;
    let token = subject.turn_of("a").await.lock_token;
    let invalid = |result| match result {
        Err(CommitError::Provider(error)) => assert_eq!(error.kind(), ErrorKind::Invalid),
        other => panic!("{other:?}"),
    };
    invalid(subject.try_commit(None, vec![ack("a", &["start"])]).await);
    invalid(subject.try_commit(Some(&token), vec![ack("b", &["start"])]).await);
    invalid(subject.try_commit(None, vec![release()]).await);
    assert_eq!(ids(&subject.turn_of("b").await), ["start"]);
}

pub async fn a_dropped_fetch_loses_nothing(subject: Subject) {
    for _ in 0..3 {
        let want = TurnRequest { wait: LONG, ..any_turn(10) };
        // Polled once, so that it waits; then dropped.
        assert!(subject.provider.fetch_turns(want).now_or_never().is_none());
    }
    subject.start("a").await;
    let turn = subject.turn().await;
    assert_eq!(turn.attempt, 1);
}

pub async fn final_dispositions_need_no_lease(subject: Subject) {
    subject.start("a").await;
    subject.commit(None, vec![schedule("a", "job")]).await;
    let old = subject.turn().await;
    subject.clock.advance(LONG);
    let ops = vec![
        append("a", 1, 1, &["terminated"]),
        put("a", "status", Some("terminated")),
        cancel(Queue::Turns(id("a")), &["start"]),
        cancel(Queue::Activities(id("a")), &["job"]),
    ];
    subject.commit(None, ops).await;
    assert!(subject.turns(10).await.is_empty());
    assert!(subject.activities(10).await.is_empty());
    assert_eq!(subject.renew(&old.lock_token).await, Renewal::Lost);
}
