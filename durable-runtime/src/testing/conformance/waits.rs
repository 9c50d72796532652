//! Waiting: woken by what arrives and by what comes due, not by asking again and again.

use std::time::Duration;

use futures_util::FutureExt;
use futures_util::future::{join, join_all};

use super::kit::*;
use crate::providers::{ActivityRequest, CommitError, ErrorKind, TurnRequest};

fn patient() -> TurnRequest {
    TurnRequest { wait: LONG, ..any_turn(1) }
}

pub async fn a_waiting_fetch_is_woken_by_a_message(subject: Subject) {
    let (turns, ()) = join(subject.provider.fetch_turns(patient()), subject.start("a")).await;
    assert_eq!(ids(&only(turns.unwrap())), ["start"]);
}

pub async fn a_waiting_fetch_is_woken_by_an_activity(subject: Subject) {
    let want = ActivityRequest { wait: LONG, ..any_activity(1) };
    let fetch = subject.provider.fetch_activities(want);
    let (jobs, ()) = join(fetch, subject.commit(None, vec![schedule("a", "job")])).await;
    assert_eq!(text(&only(jobs.unwrap()).data), "job");
}

pub async fn a_waiting_fetch_is_woken_when_a_message_comes_due(subject: Subject) {
    subject.commit(None, vec![send_at("a", "timer", subject.in_time(10))]).await;
    let mut fetch = subject.provider.fetch_turns(patient());
    assert!((&mut fetch).now_or_never().is_none());
    subject.clock.advance(Duration::from_secs(10));
    assert_eq!(ids(&only(fetch.await.unwrap())), ["timer"]);
}

pub async fn a_waiting_fetch_is_woken_by_a_release(subject: Subject) {
    subject.start("a").await;
    let turn = subject.turn().await;
    let release = subject.commit(Some(&turn.lock_token), vec![release()]);
    let (turns, ()) = join(subject.provider.fetch_turns(patient()), release).await;
    assert_eq!(only(turns.unwrap()).attempt, 2);
}

pub async fn a_waiting_fetch_is_woken_when_a_lease_expires(subject: Subject) {
    subject.start("a").await;
    let turn = subject.turn().await;
    let mut fetch = subject.provider.fetch_turns(patient());
    assert!((&mut fetch).now_or_never().is_none());
    subject.clock.advance(TTL);
    assert!(only(fetch.await.unwrap()).lock_token.fence > turn.lock_token.fence);
}

pub async fn a_fetch_gives_up_when_its_time_is_over(subject: Subject) {
    let want = TurnRequest { wait: Duration::from_secs(5), ..any_turn(1) };
    let mut fetch = subject.provider.fetch_turns(want);
    assert!((&mut fetch).now_or_never().is_none());
    subject.clock.advance(Duration::from_secs(5));
    assert!(fetch.await.unwrap().is_empty());
}

pub async fn several_waiting_fetches_share_what_comes(subject: Subject) {
    let fetches = join_all((0..5).map(|_| subject.provider.fetch_turns(patient())));
    let starts = async {
        for name in ["a", "b", "c", "d", "e"] {
            subject.start(name).await;
        }
    };
    let (turns, ()) = join(fetches, starts).await;
    let mut names: Vec<_> = turns.into_iter().map(|turns| only(turns.unwrap()).instance.to_string()).collect();
    names.sort();
    assert_eq!(names, ["a", "b", "c", "d", "e"]);
}

pub async fn a_change_of_the_record_wakes(subject: Subject) {
    let instance = id("a");
    let wait = subject.provider.wait_for_change(&instance, 0, LONG);
    let (record, ()) = join(wait, subject.start("a")).await;
    assert_eq!(record.unwrap().unwrap().revision, 1);
    let wait = subject.provider.wait_for_change(&instance, 1, LONG);
    let (record, ()) = join(wait, subject.commit(None, vec![put("a", "status", Some("done"))])).await;
    assert_eq!(text(&record.unwrap().unwrap().metadata["status"]), "done");
    let seen = subject.revision("a").await;
    let wait = subject.provider.wait_for_change(&instance, seen, LONG);
    let (record, ()) = join(wait, subject.commit(None, vec![delete("a")])).await;
    assert!(record.unwrap().is_none());
}

pub async fn what_has_changed_already_is_answered_at_once(subject: Subject) {
    subject.start("a").await;
    let record = subject.provider.wait_for_change(&id("a"), 0, LONG).await.unwrap();
    assert_eq!(record.unwrap().revision, 1);
}

pub async fn a_wait_for_change_gives_up_when_its_time_is_over(subject: Subject) {
    subject.start("a").await;
    let instance = id("a");
    let mut wait = subject.provider.wait_for_change(&instance, 1, Duration::from_secs(5));
    assert!((&mut wait).now_or_never().is_none());
    subject.commit(None, vec![send("a", "m"), append("a", 1, 1, &["1"])]).await;
    assert!((&mut wait).now_or_never().is_none());
    subject.clock.advance(Duration::from_secs(5));
    assert_eq!(wait.await.unwrap().unwrap().revision, 1);
}

pub async fn a_closed_store_says_so(subject: Subject) {
    subject.start("a").await;
    let _turn = subject.turn().await;
    let (waiting, ()) = join(subject.provider.fetch_turns(patient()), subject.provider.close()).await;
    assert_eq!(waiting.unwrap_err().kind(), ErrorKind::Closed);
    subject.provider.close().await;
    assert_eq!(subject.provider.instance(&id("a")).await.unwrap_err().kind(), ErrorKind::Closed);
    assert_eq!(subject.provider.fetch_turns(any_turn(1)).await.unwrap_err().kind(), ErrorKind::Closed);
    let commit = subject.try_commit(None, vec![create("b", 1)]).await;
    assert!(matches!(commit, Err(CommitError::Provider(error)) if error.kind() == ErrorKind::Closed));
}
