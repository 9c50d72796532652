//! Waiting in detail: who is woken by what, who is not, and who has waited enough.

use std::time::Duration;

use futures_util::FutureExt;
use futures_util::future::join;

use super::kit::*;
use crate::providers::{ActivityRequest, NewMessage, Queue, TurnRequest};

fn patient() -> TurnRequest {
    TurnRequest { wait: LONG, ..any_turn(1) }
}

fn patient_worker() -> ActivityRequest {
    ActivityRequest { wait: LONG, ..any_activity(1) }
}

pub async fn a_worker_is_woken_when_an_activity_comes_due(subject: Subject) {
    let later = NewMessage { visible_at: Some(subject.in_time(10)), ..work("job") };
    subject.commit(None, vec![enqueue(Queue::Activities(id("a")), vec![later])]).await;
    let mut fetch = subject.provider.fetch_activities(patient_worker());
    assert!((&mut fetch).now_or_never().is_none());
    subject.clock.advance(Duration::from_secs(10));
    assert_eq!(only(fetch.await.unwrap()).attempt, 1);
}

pub async fn a_worker_is_woken_when_a_lease_expires(subject: Subject) {
    subject.commit(None, vec![schedule("a", "job")]).await;
    let _lost = subject.activity().await;
    let mut fetch = subject.provider.fetch_activities(patient_worker());
    assert!((&mut fetch).now_or_never().is_none());
    subject.clock.advance(TTL);
    assert_eq!(only(fetch.await.unwrap()).attempt, 2);
}

pub async fn a_worker_is_woken_by_a_retry(subject: Subject) {
    subject.commit(None, vec![schedule("a", "job")]).await;
    let job = subject.activity().await;
    let put_back = subject.commit(None, vec![retry(&job.lock_token, Duration::ZERO, "again")]);
    let (jobs, ()) = join(subject.provider.fetch_activities(patient_worker()), put_back).await;
    assert_eq!(text(&only(jobs.unwrap()).data), "again");
}

pub async fn a_worker_is_woken_when_a_retry_comes_due(subject: Subject) {
    subject.commit(None, vec![schedule("a", "job")]).await;
    let job = subject.activity().await;
    subject.commit(None, vec![retry(&job.lock_token, Duration::from_secs(7), "again")]).await;
    let mut fetch = subject.provider.fetch_activities(patient_worker());
    assert!((&mut fetch).now_or_never().is_none());
    subject.clock.advance(Duration::from_secs(7));
    assert_eq!(only(fetch.await.unwrap()).attempt, 2);
}

pub async fn a_worker_is_not_woken_by_work_for_others(subject: Subject) {
    let want = ActivityRequest { wait: Duration::from_secs(5), ..any_activity(1) };
    let mut fetch = subject.provider.fetch_activities(want);
    assert!((&mut fetch).now_or_never().is_none());
    let other = NewMessage { topic: "other".to_owned(), ..message("1") };
    let tagged = NewMessage { tag: Some("gpu".to_owned()), ..work("2") };
    subject.commit(None, vec![enqueue(Queue::Activities(id("a")), vec![other, tagged]), send("a", "m")]).await;
    assert!((&mut fetch).now_or_never().is_none());
    subject.clock.advance(Duration::from_secs(5));
    assert!(fetch.await.unwrap().is_empty());
    assert_eq!(subject.stats().await.activities_leased, 0);
}

pub async fn a_worker_gives_up_when_its_time_is_over(subject: Subject) {
    let mut fetch =
        subject.provider.fetch_activities(ActivityRequest { wait: Duration::from_secs(5), ..any_activity(1) });
    assert!((&mut fetch).now_or_never().is_none());
    subject.clock.advance(Duration::from_secs(5));
    assert!(fetch.await.unwrap().is_empty());
}

pub async fn a_fetch_is_woken_when_a_delay_ends(subject: Subject) {
    subject.start("a").await;
    let turn = subject.turn().await;
    subject.commit(Some(&turn.lock_token), vec![release_for(10)]).await;
    let mut fetch = subject.provider.fetch_turns(patient());
    assert!((&mut fetch).now_or_never().is_none());
    subject.clock.advance(Duration::from_secs(10));
    assert_eq!(only(fetch.await.unwrap()).attempt, 2);
}

pub async fn a_fetch_is_woken_by_what_another_turn_sends(subject: Subject) {
    subject.start("a").await;
    let turn = subject.turn().await;
    let ops = vec![ack("a", &["start"]), send("b", "hello"), release()];
    let (turns, ()) = join(subject.provider.fetch_turns(patient()), subject.commit(Some(&turn.lock_token), ops)).await;
    assert_eq!(only(turns.unwrap()).instance, id("b"));
}

pub async fn a_fetch_is_not_woken_by_a_message_for_later(subject: Subject) {
    let mut fetch = subject.provider.fetch_turns(TurnRequest { wait: Duration::from_secs(5), ..any_turn(1) });
    assert!((&mut fetch).now_or_never().is_none());
    subject.commit(None, vec![send_at("a", "timer", subject.in_time(6)), schedule("a", "job")]).await;
    assert!((&mut fetch).now_or_never().is_none());
    subject.clock.advance(Duration::from_secs(5));
    assert!(fetch.await.unwrap().is_empty());
}

pub async fn a_fetch_is_not_woken_by_messages_for_who_is_leased(subject: Subject) {
    subject.start("a").await;
    let _turn = subject.turn().await;
    let mut fetch = subject.provider.fetch_turns(TurnRequest { wait: Duration::from_secs(5), ..any_turn(1) });
    assert!((&mut fetch).now_or_never().is_none());
    subject.commit(None, vec![send("a", "m")]).await;
    assert!((&mut fetch).now_or_never().is_none());
    subject.clock.advance(Duration::from_secs(5));
    assert!(fetch.await.unwrap().is_empty());
}

pub async fn a_fetch_is_woken_by_an_earlier_message_than_the_one_it_waits_for(subject: Subject) {
    subject.commit(None, vec![send_at("a", "late", subject.in_time(1_000))]).await;
    let mut fetch = subject.provider.fetch_turns(patient());
    assert!((&mut fetch).now_or_never().is_none());
    subject.commit(None, vec![send_at("b", "soon", subject.in_time(10))]).await;
    subject.clock.advance(Duration::from_secs(10));
    assert_eq!(ids(&only(fetch.await.unwrap())), ["soon"]);
}

pub async fn no_wait_is_no_wait(subject: Subject) {
    assert!(subject.turns(10).await.is_empty());
    assert!(subject.activities(10).await.is_empty());
    assert!(subject.provider.wait_for_change(&id("a"), 0, Duration::ZERO).await.unwrap().is_none());
}

pub async fn all_who_wait_for_a_change_are_woken(subject: Subject) {
    subject.commit(None, vec![create("a", 1)]).await;
    let instance = id("a");
    let waits = (0..5).map(|_| subject.provider.wait_for_change(&instance, 1, LONG));
    let waits = futures_util::future::join_all(waits);
    let (records, ()) = join(waits, subject.commit(None, vec![label("a", "l", Some("m"))])).await;
    assert!(records.into_iter().all(|record| record.unwrap().unwrap().labels["l"] == "m"));
}

pub async fn a_change_of_another_wakes_nobody(subject: Subject) {
    subject.commit(None, vec![create("a", 1), create("b", 1)]).await;
    let instance = id("a");
    let mut wait = subject.provider.wait_for_change(&instance, 1, LONG);
    assert!((&mut wait).now_or_never().is_none());
    subject.commit(None, vec![put("b", "k", Some("v")), send("a", "m")]).await;
    assert!((&mut wait).now_or_never().is_none());
    let (record, ()) = join(wait, subject.commit(None, vec![put("a", "k", Some("v"))])).await;
    assert_eq!(text(&record.unwrap().unwrap().metadata["k"]), "v");
}

pub async fn a_next_execution_is_a_change(subject: Subject) {
    subject.commit(None, vec![create("a", 1)]).await;
    let instance = id("a");
    let wait = subject.provider.wait_for_change(&instance, 1, LONG);
    let (record, ()) = join(wait, subject.commit(None, vec![create("a", 2)])).await;
    assert_eq!(record.unwrap().unwrap().execution_id.0, 2);
}

pub async fn a_wait_for_what_is_not_there_ends_with_its_start(subject: Subject) {
    let instance = id("a");
    let mut wait = subject.provider.wait_for_change(&instance, 0, LONG);
    assert!((&mut wait).now_or_never().is_none());
    subject.commit(None, vec![send("a", "early")]).await;
    assert!((&mut wait).now_or_never().is_none());
    subject.commit(None, vec![create("a", 1)]).await;
    assert_eq!(wait.await.unwrap().unwrap().revision, 1);
}

pub async fn a_wait_for_what_is_gone_is_answered_at_once(subject: Subject) {
    subject.start("a").await;
    subject.commit(None, vec![delete("a")]).await;
    assert!(subject.provider.wait_for_change(&id("a"), 1, LONG).await.unwrap().is_none());
}
