//! What comes late, and what comes early: messages for an instance that is gone, or not there yet.

use std::time::Duration;

use super::kit::*;
use crate::providers::{CommitError, PageRequest, Renewal, Stats};

async fn deleted(subject: &Subject) {
    let ops = vec![create("a", 1), append("a", 1, 1, &["one"]), put("a", "k", Some("v")), label("a", "l", Some("m"))];
    subject.commit(None, ops).await;
    subject.commit(None, vec![delete("a")]).await;
}

pub async fn a_late_message_does_not_resurrect(subject: Subject) {
    deleted(&subject).await;
    subject.commit(None, vec![send("a", "late"), schedule("a", "late")]).await;
    assert!(!subject.exists("a").await);
    assert!(subject.listed(PageRequest { limit: 10, ..PageRequest::default() }).await.is_empty());
    let turn = subject.turn().await;
    assert_eq!((turn.execution_id.0, turn.is_new_execution, turn.history_len), (1, true, 0));
    // Whoever gets it can throw it away, and then nothing is left.
    subject.commit(Some(&turn.lock_token), vec![ack("a", &["late"]), release()]).await;
    let job = subject.activity().await;
    subject.commit(None, vec![ack_work(&job.lock_token)]).await;
    assert_eq!(subject.stats().await, Stats::default());
}

pub async fn a_late_event_is_refused(subject: Subject) {
    deleted(&subject).await;
    let error = subject.refused(None, vec![append("a", 1, 2, &["late"])]).await;
    assert!(matches!(error, CommitError::NoInstance(_)));
    assert!(subject.history("a", 1).await.is_empty());
}

pub async fn a_late_value_is_refused(subject: Subject) {
    deleted(&subject).await;
    for op in [put("a", "k", Some("late")), put("a", "k", None), label("a", "l", Some("late"))] {
        assert!(matches!(subject.refused(None, vec![op]).await, CommitError::NoInstance(_)));
    }
    assert!(!subject.exists("a").await);
}

pub async fn a_late_execution_is_refused(subject: Subject) {
    deleted(&subject).await;
    let error = subject.refused(None, vec![create("a", 2)]).await;
    assert!(matches!(error, CommitError::ExecutionExists { newest, .. } if newest.0 == 0));
}

pub async fn a_late_end_of_work_reaches_nobody(subject: Subject) {
    subject.commit(None, vec![create("a", 1), schedule("a", "job")]).await;
    let job = subject.activity().await;
    subject.commit(None, vec![delete("a")]).await;
    let error = subject.refused(None, vec![ack_work(&job.lock_token), send("a", "done")]).await;
    assert!(matches!(error, CommitError::WorkGone(_)));
    let error = subject.refused(None, vec![retry(&job.lock_token, Duration::ZERO, "again")]).await;
    assert!(matches!(error, CommitError::WorkGone(_)));
    assert_eq!(subject.stats().await, Stats::default());
}

pub async fn a_late_turn_writes_nothing(subject: Subject) {
    subject.start("a").await;
    let turn = subject.turn().await;
    subject.commit(None, vec![delete("a")]).await;
    let ops = vec![create("a", 1), append("a", 1, 1, &["late"]), release()];
    assert!(matches!(subject.refused(Some(&turn.lock_token), ops).await, CommitError::LeaseLost(_)));
    assert!(!subject.exists("a").await);
}

pub async fn a_successor_starts_clean(subject: Subject) {
    deleted(&subject).await;
    subject.start("a").await;
    let record = subject.record("a").await;
    assert_eq!((record.execution_id.0, record.metadata.len(), record.labels.len()), (1, 0, 0));
    assert!(subject.history("a", 1).await.is_empty());
    let labels = vec![("l".to_owned(), "m".to_owned())];
    assert!(subject.listed(PageRequest { labels, after: None, limit: 10, ..PageRequest::default() }).await.is_empty());
}

pub async fn a_successor_counts_its_attempts_anew(subject: Subject) {
    subject.commit(None, vec![create("a", 1), send("a", "m"), schedule("a", "job")]).await;
    for _ in 0..3 {
        let _lost = (subject.turn().await, subject.activity().await);
        subject.clock.advance(TTL);
    }
    subject.commit(None, vec![delete("a"), create("a", 1), send("a", "m"), schedule("a", "job")]).await;
    assert_eq!((subject.turn().await.attempt, subject.activity().await.attempt), (1, 1));
}

pub async fn a_successor_does_not_inherit_a_delay(subject: Subject) {
    subject.start("a").await;
    let turn = subject.turn().await;
    subject.commit(Some(&turn.lock_token), vec![release_for(1_000)]).await;
    subject.commit(None, vec![delete("a"), create("a", 1), send("a", "anew")]).await;
    assert_eq!(ids(&subject.turn().await), ["anew"]);
}

pub async fn an_instance_can_delete_itself_in_its_turn(subject: Subject) {
    subject.start("a").await;
    let turn = subject.turn().await;
    subject.commit(Some(&turn.lock_token), vec![ack("a", &["start"]), delete("a"), release()]).await;
    assert_eq!(subject.stats().await, Stats::default());
    assert_eq!(subject.renew(&turn.lock_token).await, Renewal::Lost);
}

pub async fn deleting_twice_is_fine(subject: Subject) {
    subject.start("a").await;
    subject.commit(None, vec![delete("a"), delete("a")]).await;
    subject.commit(None, vec![delete("a")]).await;
    assert_eq!(subject.stats().await, Stats::default());
}

pub async fn the_order_of_deleting_and_sending_counts(subject: Subject) {
    subject.start("a").await;
    subject.commit(None, vec![send("a", "before"), schedule("a", "before"), delete("a"), send("a", "after")]).await;
    assert_eq!(ids(&subject.turn().await), ["after"]);
    assert!(subject.activities(10).await.is_empty());
}

pub async fn deleting_many_in_one_transaction_leaves_the_rest(subject: Subject) {
    let names: Vec<String> = (0..60).map(|n| format!("i{n:02}")).collect();
    let start = |name: &String| [create(name, 1), append(name, 1, 1, &["one"]), send(name, "m"), schedule(name, "job")];
    subject.commit(None, names.iter().flat_map(start).collect()).await;
    subject.commit(None, names.iter().filter(|name| name.as_str() != "i30").map(|name| delete(name)).collect()).await;
    assert_eq!(subject.listed(PageRequest { limit: 100, ..PageRequest::default() }).await, ["i30"]);
    assert_eq!(subject.history("i30", 1).await, ["one"]);
    assert_eq!((subject.turn().await.instance, subject.activity().await.instance), (id("i30"), id("i30")));
}

pub async fn an_instance_with_thousands_of_records_is_deleted_whole(subject: Subject) {
    let names: Vec<String> = (0..1_500).map(|n| n.to_string()).collect();
    let events: Vec<&str> = names.iter().map(String::as_str).collect();
    let mut ops = vec![create("a", 1)];
    ops.extend(names.iter().enumerate().map(|(n, name)| append("a", 1, n as u64 + 1, &[name])));
    ops.extend(events.iter().flat_map(|name| [send("a", name), schedule("a", name)]));
    subject.commit(None, ops).await;
    subject.commit(None, vec![create("b", 1), send("b", "m"), delete("a")]).await;
    assert!(subject.history("a", 1).await.is_empty());
    assert_eq!(subject.stats().await, Stats { instances: 1, turn_messages: 1, ..Stats::default() });
}

pub async fn early_messages_keep_their_order(subject: Subject) {
    for name in ["1", "2", "3"] {
        subject.commit(None, vec![send("a", name)]).await;
    }
    subject.commit(None, vec![create("a", 1), send("a", "start")]).await;
    assert_eq!(ids(&subject.turn().await), ["1", "2", "3", "start"]);
}

pub async fn an_early_message_stays_though_nobody_ever_starts(subject: Subject) {
    subject.commit(None, vec![send("a", "early")]).await;
    for attempt in 1..=3 {
        let turn = subject.turn().await;
        assert_eq!((ids(&turn), turn.attempt), (vec!["early".to_owned()], attempt));
        subject.commit(Some(&turn.lock_token), vec![release_for(60)]).await;
        assert!(subject.turns(10).await.is_empty());
        subject.clock.advance(Duration::from_secs(60));
    }
}

pub async fn an_early_message_can_be_for_later(subject: Subject) {
    subject.commit(None, vec![send_at("a", "timer", subject.in_time(10))]).await;
    subject.commit(None, vec![create("a", 1)]).await;
    assert!(subject.turns(10).await.is_empty());
    subject.clock.advance(Duration::from_secs(10));
    assert_eq!(ids(&subject.turn().await), ["timer"]);
}

pub async fn an_instance_can_start_under_the_lease_that_an_early_message_brought(subject: Subject) {
    subject.commit(None, vec![send("a", "early")]).await;
    let turn = subject.turn().await;
    let ops = vec![create("a", 1), append("a", 1, 1, &["early"]), ack("a", &["early"])];
    subject.commit(Some(&turn.lock_token), ops).await;
    // The lease was of execution 1 before that was there, and is so now.
    subject.commit(Some(&turn.lock_token), vec![append("a", 1, 2, &["two"]), release()]).await;
    assert_eq!(subject.history("a", 1).await, ["early", "two"]);
}

pub async fn an_early_activity_is_handed_out(subject: Subject) {
    subject.commit(None, vec![schedule("a", "job")]).await;
    let job = subject.activity().await;
    assert_eq!((job.instance.as_str(), job.lock_token.execution_id.0), ("a", 1));
    subject.commit(None, vec![create("a", 1)]).await;
    subject.commit(None, vec![ack_work(&job.lock_token)]).await;
}
