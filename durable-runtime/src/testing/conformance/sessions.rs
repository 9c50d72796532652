//! Activities of a session go to one owner, as long as that holds it.

use std::time::Duration;

use super::kit::*;
use crate::providers::{ActivityRequest, NewMessage, OwnerId, Queue, TransactionOp};

const HELD: Duration = Duration::from_secs(100);

fn in_session(session: &str, text: &str) -> TransactionOp {
    let item = NewMessage { session: Some(session.to_owned()), ..work(text) };
    enqueue(Queue::Activities(id("a")), vec![item])
}

async fn got(subject: &Subject, owner: &str) -> Vec<String> {
    let want = ActivityRequest { owner: OwnerId::new(owner), session_ttl: Some(HELD), ..any_activity(100) };
    let found = subject.provider.fetch_activities(want).await.unwrap();
    found.into_iter().map(|activity| activity.id.to_string()).collect()
}

pub async fn the_first_taker_holds_a_session(subject: Subject) {
    subject.commit(None, vec![in_session("s", "1"), in_session("t", "2"), schedule("a", "3")]).await;
    let first = ActivityRequest { owner: OwnerId::new("one"), session_ttl: Some(HELD), ..any_activity(1) };
    assert_eq!(only(subject.provider.fetch_activities(first).await.unwrap()).id.to_string(), "1");
    subject.commit(None, vec![in_session("s", "4")]).await;
    assert_eq!(got(&subject, "other").await, ["2", "3"]);
    assert_eq!(got(&subject, "one").await, ["4"]);
}

pub async fn without_a_wish_for_sessions_none_is_taken(subject: Subject) {
    subject.commit(None, vec![in_session("s", "1"), schedule("a", "2")]).await;
    assert_eq!(subject.activity().await.id.to_string(), "2");
    assert_eq!(got(&subject, "one").await, ["1"]);
}

pub async fn a_session_outlives_its_work_until_its_time_is_over(subject: Subject) {
    subject.commit(None, vec![in_session("s", "1")]).await;
    let want = ActivityRequest { owner: OwnerId::new("one"), session_ttl: Some(HELD), ..any_activity(1) };
    let token = only(subject.provider.fetch_activities(want).await.unwrap()).lock_token;
    subject.commit(None, vec![ack_work(&token), in_session("s", "2")]).await;
    subject.clock.advance(HELD - Duration::from_secs(1));
    assert_eq!(got(&subject, "other").await, Vec::<String>::new());
    subject.clock.advance(Duration::from_secs(1));
    assert_eq!(got(&subject, "other").await, ["2"]);
    subject.commit(None, vec![in_session("s", "3")]).await;
    assert_eq!(got(&subject, "one").await, Vec::<String>::new(), "it was taken over");
    assert_eq!(got(&subject, "other").await, ["3"]);
}

pub async fn use_and_renewal_prolong_a_session(subject: Subject) {
    subject.commit(None, vec![in_session("s", "1")]).await;
    let ttl = Duration::from_secs(1_000);
    let want = ActivityRequest { owner: OwnerId::new("one"), session_ttl: Some(HELD), ttl, ..any_activity(1) };
    let token = only(subject.provider.fetch_activities(want).await.unwrap()).lock_token;
    subject.commit(None, vec![in_session("s", "2")]).await;
    // As long as a lease of it, however short the owner wants to hold it.
    subject.clock.advance(Duration::from_secs(999));
    assert_eq!(got(&subject, "other").await, Vec::<String>::new());
    subject.renew(&token).await;
    subject.clock.advance(HELD - Duration::from_secs(1));
    assert_eq!(got(&subject, "other").await, Vec::<String>::new(), "renewing uses it");
    subject.clock.advance(Duration::from_secs(1));
    assert_eq!(got(&subject, "other").await, ["1", "2"]);
}

pub async fn a_waiting_fetch_is_woken_when_a_session_is_free(subject: Subject) {
    subject.commit(None, vec![in_session("s", "1")]).await;
    assert_eq!(got(&subject, "one").await, ["1"]);
    subject.commit(None, vec![in_session("s", "2")]).await;
    let wait = ActivityRequest { owner: OwnerId::new("other"), session_ttl: Some(HELD), wait: LONG, ..any_activity(1) };
    let waiting = subject.provider.fetch_activities(wait);
    let advance = async { subject.clock.advance(HELD) };
    let (found, ()) = futures_util::future::join(waiting, advance).await;
    // The lease on the first has ended too, and it came first.
    assert_eq!(only(found.unwrap()).id.to_string(), "1");
}

pub async fn a_session_and_a_tag_must_both_fit(subject: Subject) {
    let item = NewMessage { session: Some("s".to_owned()), tag: Some("gpu".to_owned()), ..work("1") };
    subject.commit(None, vec![enqueue(Queue::Activities(id("a")), vec![item])]).await;
    assert_eq!(got(&subject, "one").await, Vec::<String>::new());
    let tags = ["gpu".to_owned()].into();
    let want = ActivityRequest { session_ttl: Some(HELD), tags, ..any_activity(9) };
    assert_eq!(only(subject.provider.fetch_activities(want).await.unwrap()).id.to_string(), "1");
}

pub async fn the_session_of_a_message_is_kept(mut subject: Subject) {
    subject.commit(None, vec![in_session("s", "1"), in_session("s", "2")]).await;
    let want = ActivityRequest { session_ttl: Some(HELD), ..any_activity(1) };
    let token = only(subject.provider.fetch_activities(want).await.unwrap()).lock_token;
    subject.commit(None, vec![retry(&token, Duration::from_secs(1), "again")]).await;
    subject.clock.advance(HELD);
    if subject.restart().await {
        assert!(subject.activities(10).await.is_empty(), "both belong to the session still");
    }
    assert_eq!(got(&subject, "two").await, ["2", "1"]);
}
