//! A transaction that does everything, with one wrong op in it: wherever that stands, nothing is kept, and the
//! transaction without it can be.

use std::time::Duration;

use super::kit::*;
use crate::ids::LockToken;
use crate::providers::{CommitError, ErrorKind, LeasedTurn, Queue, TransactionOp};

/// An instance in the middle of a turn, with work of every kind.
async fn scene(subject: &Subject) -> (LeasedTurn, Vec<TransactionOp>) {
    let ops = vec![
        create("a", 1),
        append("a", 1, 1, &["one"]),
        send("a", "m"),
        schedule("a", "done"),
        schedule("a", "failed"),
        schedule("a", "unseen"),
        schedule("a", "waiting"),
        put("a", "status", Some("running")),
        label("a", "kind", Some("order")),
        create("old", 1),
    ];
    subject.commit(None, ops).await;
    let (turn, jobs) = (subject.turn().await, subject.activities(3).await);
    let ops = vec![
        ack("a", &["m"]),
        append("a", 1, 2, &["two", "three"]),
        ack_work(&jobs[0].lock_token),
        retry(&jobs[1].lock_token, Duration::from_secs(5), "again"),
        put_back(&jobs[2].lock_token, 5, true),
        cancel(Queue::Activities(id("a")), &["waiting"]),
        schedule("a", "new"),
        send("b", "hello"),
        put("a", "status", None),
        label("a", "kind", Some("bill")),
        create("c", 1),
        delete("old"),
        note("a", "k", Some("v")),
        create("a", 2),
        prune("a", 1),
        release(),
    ];
    (turn, ops)
}

/// The op is refused at each place, for the same reason, and leaves everything as it was.
async fn refused_at_each_place(subject: Subject, wrong: TransactionOp, why: impl Fn(&CommitError) -> bool) {
    let (turn, ops) = scene(&subject).await;
    let before = subject.seen().await;
    for place in 0..=ops.len() {
        let mut broken = ops.clone();
        broken.insert(place, wrong.clone());
        let error = subject.refused(Some(&turn.lock_token), broken).await;
        assert!(why(&error), "at place {place}: {error:?}");
        assert_eq!(subject.seen().await, before, "at place {place}");
    }
    subject.commit(Some(&turn.lock_token), ops).await;
    assert!(subject.history("a", 1).await.is_empty());
    assert_eq!(subject.record("a").await.execution_id.0, 2);
}

fn made_up() -> LockToken {
    LockToken { instance: id("a"), execution_id: crate::ids::ExecutionId(1), granted_at_ms: 1, fence: u64::MAX >> 2 }
}

pub async fn a_wrong_execution_at_any_place_undoes_all(subject: Subject) {
    let why = |error: &CommitError| matches!(error, CommitError::ExecutionExists { .. });
    refused_at_each_place(subject, create("a", 9), why).await;
}

pub async fn a_history_conflict_at_any_place_undoes_all(subject: Subject) {
    let why = |error: &CommitError| matches!(error, CommitError::HistoryConflict { .. });
    refused_at_each_place(subject, append("a", 1, 99, &["x"]), why).await;
}

pub async fn a_history_of_nobody_at_any_place_undoes_all(subject: Subject) {
    let why = |error: &CommitError| matches!(error, CommitError::NoInstance(nobody) if *nobody == id("nobody"));
    refused_at_each_place(subject, append("nobody", 1, 1, &["x"]), why).await;
}

pub async fn a_history_of_an_execution_to_come_at_any_place_undoes_all(subject: Subject) {
    let why = |error: &CommitError| matches!(error, CommitError::Provider(error) if error.kind() == ErrorKind::Invalid);
    refused_at_each_place(subject, append("a", 7, 1, &["x"]), why).await;
}

pub async fn a_value_of_nobody_at_any_place_undoes_all(subject: Subject) {
    let why = |error: &CommitError| matches!(error, CommitError::NoInstance(_));
    refused_at_each_place(subject, put("nobody", "k", Some("v")), why).await;
}

pub async fn a_label_of_nobody_at_any_place_undoes_all(subject: Subject) {
    let why = |error: &CommitError| matches!(error, CommitError::NoInstance(_));
    refused_at_each_place(subject, label("nobody", "k", Some("v")), why).await;
}

pub async fn an_acknowledgement_for_another_at_any_place_undoes_all(subject: Subject) {
    let why = |error: &CommitError| matches!(error, CommitError::Provider(error) if error.kind() == ErrorKind::Invalid);
    refused_at_each_place(subject, ack("b", &["hello"]), why).await;
}

pub async fn an_end_of_work_that_is_gone_at_any_place_undoes_all(subject: Subject) {
    let why = |error: &CommitError| matches!(error, CommitError::WorkGone(token) if *token == made_up());
    refused_at_each_place(subject, ack_work(&made_up()), why).await;
}

pub async fn a_retry_of_work_that_is_gone_at_any_place_undoes_all(subject: Subject) {
    let why = |error: &CommitError| matches!(error, CommitError::WorkGone(token) if *token == made_up());
    refused_at_each_place(subject, retry(&made_up(), Duration::ZERO, "x"), why).await;
}

pub async fn giving_back_work_that_is_gone_at_any_place_undoes_all(subject: Subject) {
    let why = |error: &CommitError| matches!(error, CommitError::WorkGone(token) if *token == made_up());
    refused_at_each_place(subject, put_back(&made_up(), 0, true), why).await;
}

pub async fn a_noted_value_of_nobody_at_any_place_undoes_all(subject: Subject) {
    let why = |error: &CommitError| matches!(error, CommitError::NoInstance(_));
    refused_at_each_place(subject, note("nobody", "k", Some("v")), why).await;
}

pub async fn deleting_an_execution_to_come_at_any_place_undoes_all(subject: Subject) {
    let why = |error: &CommitError| matches!(error, CommitError::Provider(error) if error.kind() == ErrorKind::Invalid);
    refused_at_each_place(subject, prune("a", 9), why).await;
}

pub async fn a_release_of_nothing_at_any_place_undoes_all(subject: Subject) {
    let ops = vec![create("c", 1), append("c", 1, 1, &["x"]), send("c", "m"), put("c", "k", Some("v")), delete("d")];
    let before = subject.seen().await;
    for place in 0..=ops.len() {
        let mut broken = ops.clone();
        broken.insert(place, release());
        subject.refused(None, broken).await;
        assert_eq!(subject.seen().await, before, "at place {place}");
    }
    subject.commit(None, ops).await;
}

pub async fn a_lost_lease_undoes_each_op_on_its_own(subject: Subject) {
    let (turn, ops) = scene(&subject).await;
    subject.clock.advance(TTL);
    let before = subject.seen().await;
    for op in ops {
        let error = subject.refused(Some(&turn.lock_token), vec![op.clone()]).await;
        assert!(matches!(error, CommitError::LeaseLost(_)), "{op:?}: {error:?}");
        assert_eq!(subject.seen().await, before, "{op:?}");
    }
}
