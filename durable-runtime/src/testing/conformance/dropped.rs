//! Futures that are dropped half way: nothing stays behind that nobody has.

use std::time::Duration;

use futures_util::FutureExt;
use futures_util::future::join_all;

use super::kit::*;
use crate::providers::{ActivityRequest, Queue, TurnRequest};

/// What there is, sooner or later: a call that was given up may take a moment to give back what it had.
fn patient_turn() -> TurnRequest {
    TurnRequest { wait: LONG, ..any_turn(1) }
}

fn patient_worker() -> ActivityRequest {
    ActivityRequest { wait: LONG, ..any_activity(1) }
}

pub async fn a_dropped_transaction_is_kept_whole_or_not_at_all(subject: Subject) {
    for number in 0..20 {
        let name = format!("i{number}");
        let ops = vec![create(&name, 1), append(&name, 1, 1, &["one"]), put(&name, "k", Some("v")), send(&name, "m")];
        let transaction = subject.transaction(None, ops);
        let _given_up = subject.provider.atomic_batch(transaction.clone()).now_or_never();
        // Whether it was kept is not known, so it is handed over again.
        subject.provider.atomic_batch(transaction).await.unwrap();
        assert_eq!(subject.history(&name, 1).await, ["one"]);
        assert_eq!(subject.revision(&name).await, 1);
    }
    assert_eq!((subject.stats().await.instances, subject.stats().await.turn_messages), (20, 20));
}

pub async fn a_dropped_wait_for_turns_takes_nothing(subject: Subject) {
    for _ in 0..50 {
        assert!(subject.provider.fetch_turns(patient_turn()).now_or_never().is_none());
    }
    subject.start("a").await;
    assert_eq!(subject.turn().await.attempt, 1);
}

pub async fn a_dropped_wait_for_activities_takes_nothing(subject: Subject) {
    for _ in 0..50 {
        assert!(subject.provider.fetch_activities(patient_worker()).now_or_never().is_none());
    }
    subject.commit(None, vec![schedule("a", "job")]).await;
    assert_eq!(subject.activity().await.attempt, 1);
}

pub async fn a_turn_that_nobody_got_is_handed_out_again(subject: Subject) {
    subject.start("a").await;
    for _ in 0..20 {
        if let Some(turns) = subject.provider.fetch_turns(any_turn(1)).now_or_never() {
            for turn in turns.unwrap() {
                subject.commit(Some(&turn.lock_token), vec![release()]).await;
            }
        }
    }
    let turn = only(subject.provider.fetch_turns(patient_turn()).await.unwrap());
    subject.commit(Some(&turn.lock_token), vec![ack("a", &["start"]), release()]).await;
    assert_eq!((subject.stats().await.turns_leased, subject.stats().await.turn_messages), (0, 0));
}

pub async fn a_lease_that_nobody_got_leaves_held_back_what_is(subject: Subject) {
    subject.start("a").await;
    let turn = subject.turn().await;
    subject.commit(Some(&turn.lock_token), vec![release_for(60)]).await;
    let want = || TurnRequest { instance: Some(id("a")), ..any_turn(1) };
    for _ in 0..20 {
        if let Some(turns) = subject.provider.fetch_turns(want()).now_or_never() {
            for turn in turns.unwrap() {
                subject.commit(Some(&turn.lock_token), vec![release_unseen(Some(Duration::from_secs(60)))]).await;
            }
        }
    }
    // Until all of them are taken back, it is somebody's.
    let turn = loop {
        match subject.provider.fetch_turns(want()).await.unwrap().pop() {
            Some(turn) => break turn,
            None => std::thread::yield_now(),
        }
    };
    assert!(turn.messages.is_empty(), "it is held back");
    subject.commit(Some(&turn.lock_token), vec![release_unseen(Some(Duration::from_secs(60)))]).await;
    subject.clock.advance(Duration::from_secs(60));
    assert_eq!(subject.turn().await.attempt, 2);
}

pub async fn an_activity_that_nobody_got_is_handed_out_again(subject: Subject) {
    subject.commit(None, vec![schedule("a", "job")]).await;
    for _ in 0..20 {
        if let Some(jobs) = subject.provider.fetch_activities(any_activity(1)).now_or_never() {
            for job in jobs.unwrap() {
                subject.commit(None, vec![retry(&job.lock_token, std::time::Duration::ZERO, "job")]).await;
            }
        }
    }
    let job = only(subject.provider.fetch_activities(patient_worker()).await.unwrap());
    subject.commit(None, vec![ack_work(&job.lock_token)]).await;
    assert_eq!(subject.stats().await.activities, 0);
}

pub async fn dropped_waits_for_a_change_leave_others_waiting(subject: Subject) {
    subject.commit(None, vec![create("a", 1)]).await;
    let instance = id("a");
    let stays = subject.provider.wait_for_change(&instance, 1, LONG);
    let dropped = (0..10).map(|_| subject.provider.wait_for_change(&instance, 1, LONG));
    assert!(join_all(dropped).now_or_never().is_none());
    let (record, ()) = futures_util::future::join(stays, subject.commit(None, vec![put("a", "k", Some("v"))])).await;
    assert_eq!(text(&record.unwrap().unwrap().metadata["k"]), "v");
}

pub async fn dropped_reads_leave_the_store_usable(subject: Subject) {
    subject.start("a").await;
    for _ in 0..30 {
        let _given_up = subject.provider.instance(&id("a")).now_or_never();
        let _given_up = subject.provider.stats().now_or_never();
        let page = crate::providers::PageRequest { limit: 10, ..Default::default() };
        let _given_up = subject.provider.instances(page).now_or_never();
    }
    subject.commit(None, vec![cancel(Queue::Turns(id("a")), &["start"])]).await;
    assert!(subject.exists("a").await);
}
