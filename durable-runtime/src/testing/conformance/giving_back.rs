//! What was handed out and is given back: where it waits then, and how often it was handed out.

use std::time::Duration;

use super::kit::*;
use crate::clock::Timestamp;
use crate::ids::LockToken;
use crate::providers::{CommitError, TransactionOp};

fn give_up(token: &LockToken, seconds: u64, give_back_attempt: bool) -> TransactionOp {
    let delay = (seconds > 0).then(|| Duration::from_secs(seconds));
    TransactionOp::ReleaseWork { token: token.clone(), delay, give_back_attempt }
}

pub async fn an_abandoned_activity_is_first_again(subject: Subject) {
    subject.commit(None, vec![schedule("a", "1"), schedule("a", "2")]).await;
    let first = subject.activities(1).await.remove(0);
    subject.commit(None, vec![give_up(&first.lock_token, 0, false)]).await;
    let again = subject.activities(1).await.remove(0);
    assert_eq!((again.id, again.data, again.attempt), (first.id, first.data, 2));
}

pub async fn an_abandoned_activity_waits_as_long_as_it_is_told(mut subject: Subject) {
    subject.commit(None, vec![schedule("a", "1")]).await;
    let first = subject.activity().await;
    subject.commit(None, vec![give_up(&first.lock_token, 40, false)]).await;
    subject.restart().await;
    subject.clock.advance(Duration::from_secs(39));
    assert!(subject.activities(1).await.is_empty());
    subject.clock.advance(Duration::from_secs(1));
    let again = subject.activity().await;
    assert_eq!((again.data, again.attempt), (first.data, 2));
}

pub async fn an_attempt_that_is_given_back_does_not_count(subject: Subject) {
    subject.commit(None, vec![schedule("a", "1")]).await;
    for delay in [0, 5, 0] {
        let leased = subject.activity().await;
        assert_eq!(leased.attempt, 1);
        subject.commit(None, vec![give_up(&leased.lock_token, delay, true)]).await;
        subject.clock.advance(Duration::from_secs(delay));
    }
}

pub async fn a_token_of_abandoned_work_is_worth_nothing(subject: Subject) {
    subject.commit(None, vec![schedule("a", "1")]).await;
    let token = subject.activity().await.lock_token;
    subject.commit(None, vec![give_up(&token, 0, false)]).await;
    for op in [give_up(&token, 0, false), ack_work(&token), retry(&token, Duration::ZERO, "x")] {
        assert!(matches!(subject.refused(None, vec![op]).await, CommitError::WorkGone(gone) if gone == token));
    }
    let token = subject.activity().await.lock_token;
    subject.clock.advance(TTL);
    assert!(matches!(subject.refused(None, vec![give_up(&token, 0, true)]).await, CommitError::WorkGone(_)));
}

pub async fn work_is_given_back_or_ended_in_one_transaction(subject: Subject) {
    subject.commit(None, vec![schedule("a", "1")]).await;
    let token = subject.activity().await.lock_token;
    let refused = subject.refused(None, vec![give_up(&token, 0, true), create("a", 7)]).await;
    assert!(matches!(refused, CommitError::ExecutionExists { .. }));
    assert!(subject.activities(1).await.is_empty(), "it is leased as before");
    let both = vec![give_up(&token, 0, false), ack_work(&token)];
    assert!(matches!(subject.refused(None, both).await, CommitError::WorkGone(_)));
    subject.commit(None, vec![ack_work(&token)]).await;
}

pub async fn a_turn_that_is_given_back_does_not_count(subject: Subject) {
    subject.start("a").await;
    for _ in 0..3 {
        let turn = subject.turn().await;
        assert_eq!(turn.attempt, 1);
        let release = TransactionOp::ReleaseLock { delay: None, give_back_attempt: true };
        subject.commit(Some(&turn.lock_token), vec![release]).await;
    }
    let turn = subject.turn().await;
    subject.commit(Some(&turn.lock_token), vec![release()]).await;
    assert_eq!(subject.turn().await.attempt, 2);
}

pub async fn a_message_of_the_turn_that_is_given_back_may_be_acknowledged(subject: Subject) {
    subject.commit(None, vec![create("a", 1), send("a", "1"), send("a", "2")]).await;
    let turn = subject.turn().await;
    let release = TransactionOp::ReleaseLock { delay: None, give_back_attempt: true };
    subject.commit(Some(&turn.lock_token), vec![ack("a", &["1"]), send("a", "3"), release]).await;
    let turn = subject.turn().await;
    assert_eq!((ids(&turn), turn.attempt), (vec!["2".to_owned(), "3".to_owned()], 1));
}

pub async fn a_lease_on_what_is_held_back_gives_back_nothing(subject: Subject) {
    subject.start("a").await;
    let turn = subject.turn().await;
    subject.commit(Some(&turn.lock_token), vec![release_for(60)]).await;
    let held = subject.turn_of("a").await;
    assert!(held.messages.is_empty());
    subject.commit(Some(&held.lock_token), vec![release_unseen(None)]).await;
    let turn = subject.turn().await;
    assert_eq!((ids(&turn), turn.attempt), (vec!["start".to_owned()], 2), "it was handed out once");
}

pub async fn a_turn_that_is_given_back_can_be_held_back(subject: Subject) {
    subject.start("a").await;
    let mut turn = subject.turn().await;
    for _ in 0..3 {
        subject.commit(Some(&turn.lock_token), vec![release_unseen(Some(Duration::from_secs(60)))]).await;
        assert!(subject.turns(10).await.is_empty());
        turn = subject.turn_of("a").await;
        assert!(turn.messages.is_empty());
    }
    subject.commit(Some(&turn.lock_token), vec![release_unseen(Some(Duration::from_secs(5)))]).await;
    subject.clock.advance(Duration::from_secs(5));
    assert_eq!(subject.turn().await.attempt, 1);
}

pub async fn what_comes_during_a_turn_that_is_given_back_counts_from_one(subject: Subject) {
    subject.start("a").await;
    let turn = subject.turn().await;
    subject.commit(None, vec![send("a", "meanwhile"), send_at("a", "early", Timestamp::EPOCH)]).await;
    subject.commit(Some(&turn.lock_token), vec![release_unseen(None)]).await;
    for attempt in 1..=2 {
        let turn = subject.turn().await;
        assert_eq!((turn.messages.len(), turn.attempt), (3, attempt));
        subject.commit(Some(&turn.lock_token), vec![release()]).await;
    }
}

pub async fn attempts_go_on_over_restarts(mut subject: Subject) {
    subject.commit(None, vec![create("a", 1), send("a", "m"), schedule("a", "job")]).await;
    if !subject.restart().await {
        return;
    }
    // Each time the process ends while they are in somebody's hands.
    for attempt in 1..5 {
        assert_eq!(subject.turn().await.attempt, attempt);
        assert_eq!(subject.activity().await.attempt, attempt);
        subject.clock.advance(TTL);
        subject.restart().await;
    }
    let turn = subject.turn().await;
    subject.commit(Some(&turn.lock_token), vec![ack("a", &["m"]), send("a", "m"), release()]).await;
    assert_eq!(subject.turn().await.attempt, 1, "another message of this name");
    subject
        .commit(None, vec![cancel(crate::providers::Queue::Activities(id("a")), &["job"]), schedule("a", "job")])
        .await;
    assert_eq!(subject.activity().await.attempt, 1);
}

pub async fn attempts_given_back_are_so_after_a_restart(mut subject: Subject) {
    subject.commit(None, vec![create("a", 1), send("a", "m"), schedule("a", "job")]).await;
    if !subject.restart().await {
        return;
    }
    let turn = subject.turn().await;
    let release = TransactionOp::ReleaseLock { delay: None, give_back_attempt: true };
    subject.commit(Some(&turn.lock_token), vec![release]).await;
    let job = subject.activity().await;
    subject.commit(None, vec![give_up(&job.lock_token, 0, true)]).await;
    subject.restart().await;
    assert_eq!((subject.turn().await.attempt, subject.activity().await.attempt), (1, 1));
}

pub async fn what_was_held_back_is_not_given_back(subject: Subject) {
    subject.commit(None, vec![send("a", "m")]).await;
    let turn = subject.turn().await;
    subject.commit(Some(&turn.lock_token), vec![release_for(10)]).await;
    // The message is held back, so it did not come with this lease.
    let turn = subject.turn_of("a").await;
    assert!(turn.messages.is_empty());
    subject.commit(Some(&turn.lock_token), vec![release_unseen(None)]).await;
    assert_eq!(subject.turn().await.attempt, 2);
}

pub async fn what_arrived_during_a_turn_is_not_given_back(subject: Subject) {
    subject.commit(None, vec![send("a", "1")]).await;
    let turn = subject.turn().await;
    subject.commit(None, vec![send("a", "2")]).await;
    subject.commit(Some(&turn.lock_token), vec![ack("a", &["1"]), release_unseen(None)]).await;
    assert_eq!(subject.turn().await.attempt, 1);
}

pub async fn an_attempt_is_given_back_once(subject: Subject) {
    subject.commit(None, vec![send("a", "m")]).await;
    for _ in 0..2 {
        let turn = subject.turn().await;
        subject.commit(Some(&turn.lock_token), vec![release()]).await;
    }
    let turn = subject.turn().await;
    assert_eq!(turn.attempt, 3);
    subject.commit(Some(&turn.lock_token), vec![release_unseen(None), release_unseen(None)]).await;
    assert_eq!(subject.turn().await.attempt, 3);
}

pub async fn an_attempt_is_given_back_into_the_next_execution(subject: Subject) {
    subject.start("a").await;
    let turn = subject.turn().await;
    subject.commit(Some(&turn.lock_token), vec![create("a", 2), release_unseen(Some(Duration::from_secs(5)))]).await;
    subject.clock.advance(Duration::from_secs(5));
    let turn = subject.turn().await;
    assert_eq!((turn.execution_id.0, turn.attempt), (2, 1));
}
