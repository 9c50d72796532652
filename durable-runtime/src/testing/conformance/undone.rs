//! Nothing of a refused transaction is kept: each op on its own, seen from everywhere it could have left a trace.

use std::time::Duration;

use futures_util::FutureExt;

use super::kit::*;
use crate::providers::{ActivityRequest, PageRequest, Queue, Renewal, TransactionOp, TurnRequest};

/// Refused wherever it stands.
fn wrong() -> TransactionOp {
    put("nobody", "k", Some("v"))
}

pub async fn an_undone_create_leaves_the_id_free(subject: Subject) {
    subject.refused(None, vec![create("a", 1), wrong()]).await;
    assert!(!subject.exists("a").await);
    subject.commit(None, vec![create("a", 1)]).await;
    assert_eq!(subject.revision("a").await, 1);
}

pub async fn an_undone_append_leaves_its_place_free(subject: Subject) {
    subject.commit(None, vec![create("a", 1), append("a", 1, 1, &["one"])]).await;
    subject.refused(None, vec![append("a", 1, 2, &["never", "never"]), wrong()]).await;
    assert_eq!(subject.history("a", 1).await, ["one"]);
    subject.commit(None, vec![append("a", 1, 2, &["two"])]).await;
    assert_eq!(subject.history("a", 1).await, ["one", "two"]);
}

pub async fn an_undone_message_is_not_handed_out(subject: Subject) {
    subject.start("a").await;
    subject.refused(None, vec![send("a", "never"), send("b", "never"), wrong()]).await;
    assert_eq!(ids(&subject.turn().await), ["start"]);
    subject.commit(None, vec![send("b", "never")]).await;
    assert_eq!(ids(&subject.turn().await), ["never"]);
}

pub async fn an_undone_activity_is_not_handed_out(subject: Subject) {
    subject.refused(None, vec![schedule("a", "job"), wrong()]).await;
    assert!(subject.activities(10).await.is_empty());
    subject.commit(None, vec![schedule("a", "job")]).await;
    assert_eq!(subject.activity().await.attempt, 1);
}

pub async fn an_undone_acknowledgement_leaves_the_message(subject: Subject) {
    subject.start("a").await;
    let turn = subject.turn().await;
    subject.refused(Some(&turn.lock_token), vec![ack("a", &["start"]), wrong()]).await;
    subject.commit(Some(&turn.lock_token), vec![release()]).await;
    let again = subject.turn().await;
    assert_eq!((ids(&again), again.attempt), (vec!["start".to_owned()], 2));
}

pub async fn an_undone_end_of_work_leaves_it_leased(subject: Subject) {
    subject.commit(None, vec![schedule("a", "job")]).await;
    let job = subject.activity().await;
    subject.refused(None, vec![ack_work(&job.lock_token), wrong()]).await;
    assert!(subject.activities(10).await.is_empty());
    assert!(matches!(subject.renew(&job.lock_token).await, Renewal::Until(_)));
    subject.commit(None, vec![ack_work(&job.lock_token)]).await;
}

pub async fn an_undone_retry_leaves_lease_and_data(subject: Subject) {
    subject.commit(None, vec![schedule("a", "job")]).await;
    let job = subject.activity().await;
    subject.refused(None, vec![retry(&job.lock_token, Duration::ZERO, "changed"), wrong()]).await;
    assert!(subject.activities(10).await.is_empty());
    assert!(matches!(subject.renew(&job.lock_token).await, Renewal::Until(_)));
    subject.clock.advance(TTL);
    let again = subject.activity().await;
    assert_eq!((text(&again.data).as_str(), again.attempt), ("job", 2));
}

pub async fn an_undone_cancel_leaves_what_waits(subject: Subject) {
    subject.commit(None, vec![send("a", "m"), schedule("a", "job")]).await;
    let ops = vec![cancel(Queue::Turns(id("a")), &["m"]), cancel(Queue::Activities(id("a")), &["job"]), wrong()];
    subject.refused(None, ops).await;
    assert_eq!(ids(&subject.turn().await), ["m"]);
    assert_eq!(subject.activity().await.id, message_id("job"));
}

pub async fn an_undone_cancel_leaves_the_lease_of_a_worker(subject: Subject) {
    subject.commit(None, vec![schedule("a", "job")]).await;
    let job = subject.activity().await;
    subject.refused(None, vec![cancel(Queue::Activities(id("a")), &["job"]), wrong()]).await;
    assert!(matches!(subject.renew(&job.lock_token).await, Renewal::Until(_)));
    subject.commit(None, vec![ack_work(&job.lock_token)]).await;
}

pub async fn an_undone_value_leaves_the_one_before(subject: Subject) {
    subject.commit(None, vec![create("a", 1), put("a", "k", Some("old")), put("a", "gone", Some("not yet"))]).await;
    subject.refused(None, vec![put("a", "k", Some("new")), put("a", "gone", None), wrong()]).await;
    let record = subject.record("a").await;
    assert_eq!((text(&record.metadata["k"]).as_str(), text(&record.metadata["gone"]).as_str()), ("old", "not yet"));
    assert_eq!(record.revision, 1);
}

pub async fn an_undone_label_finds_nothing(subject: Subject) {
    subject.commit(None, vec![create("a", 1), label("a", "kind", Some("old"))]).await;
    subject.refused(None, vec![label("a", "kind", Some("new")), wrong()]).await;
    for (value, found) in [("new", vec![]), ("old", vec!["a".to_owned()])] {
        let labels = vec![("kind".to_owned(), value.to_owned())];
        assert_eq!(
            subject.listed(PageRequest { labels, after: None, limit: 10, ..PageRequest::default() }).await,
            found
        );
    }
}

pub async fn an_undone_delete_leaves_everything(subject: Subject) {
    let ops =
        vec![create("a", 1), append("a", 1, 1, &["one"]), send("a", "m"), schedule("a", "job"), schedule("a", "2")];
    subject.commit(None, ops).await;
    let (turn, job) = (subject.turn().await, subject.activities(1).await.remove(0));
    let before = subject.seen().await;
    subject.refused(None, vec![delete("a"), wrong()]).await;
    assert_eq!(subject.seen().await, before);
    assert_eq!(subject.activity().await.id, message_id("2"));
    let ops = vec![ack("a", &["m"]), ack_work(&job.lock_token), append("a", 1, 2, &["two"]), release()];
    subject.commit(Some(&turn.lock_token), ops).await;
}

pub async fn an_undone_release_leaves_the_lease(subject: Subject) {
    subject.start("a").await;
    let turn = subject.turn().await;
    subject.refused(Some(&turn.lock_token), vec![release(), wrong()]).await;
    assert!(subject.turns(10).await.is_empty());
    subject.commit(Some(&turn.lock_token), vec![ack("a", &["start"]), release()]).await;
}

pub async fn an_undone_execution_leaves_the_lease_of_the_one_before(subject: Subject) {
    subject.start("a").await;
    let turn = subject.turn().await;
    subject.refused(Some(&turn.lock_token), vec![create("a", 2), append("a", 2, 1, &["never"]), wrong()]).await;
    assert_eq!(subject.record("a").await.execution_id.0, 1);
    assert!(subject.history("a", 2).await.is_empty());
    subject.commit(Some(&turn.lock_token), vec![append("a", 1, 1, &["one"]), release()]).await;
}

pub async fn an_undone_change_wakes_nobody(subject: Subject) {
    subject.commit(None, vec![create("a", 1)]).await;
    let instance = id("a");
    let mut change = subject.provider.wait_for_change(&instance, 1, LONG);
    let mut turn = subject.provider.fetch_turns(TurnRequest { wait: LONG, ..any_turn(1) });
    let mut job = subject.provider.fetch_activities(ActivityRequest { wait: LONG, ..any_activity(1) });
    for _ in 0..2 {
        assert!((&mut change).now_or_never().is_none());
        assert!((&mut turn).now_or_never().is_none());
        assert!((&mut job).now_or_never().is_none());
        subject.refused(None, vec![put("a", "k", Some("v")), send("a", "m"), schedule("a", "job"), wrong()]).await;
    }
}
