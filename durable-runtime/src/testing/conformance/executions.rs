//! Executions and their histories.

use super::kit::*;
use crate::ids::{EventId, ExecutionId};
use crate::providers::CommitError;

pub async fn executions_count_from_one(subject: Subject) {
    let refused = |result, newest| match result {
        Err(CommitError::ExecutionExists { newest: found, .. }) => assert_eq!(found, ExecutionId(newest)),
        other => panic!("{other:?}"),
    };
    refused(subject.try_commit(None, vec![create("a", 2)]).await, 0);
    subject.commit(None, vec![create("a", 1)]).await;
    refused(subject.try_commit(None, vec![create("a", 1)]).await, 1);
    refused(subject.try_commit(None, vec![create("a", 3)]).await, 1);
    subject.commit(None, vec![create("a", 2)]).await;
    assert_eq!(subject.provider.instance(&id("a")).await.unwrap().unwrap().execution_id, ExecutionId(2));
}

pub async fn continue_as_new_is_one_transaction(subject: Subject) {
    subject.start("a").await;
    let turn = subject.turn().await;
    let ops = vec![
        append("a", 1, 1, &["started", "ended"]),
        create("a", 2),
        append("a", 2, 1, &["started again"]),
        ack("a", &["start"]),
        send("a", "start 2"),
        release(),
    ];
    subject.commit(Some(&turn.lock_token), ops).await;
    let turn = subject.turn().await;
    assert_eq!((turn.execution_id.0, turn.history_len, turn.is_new_execution), (2, 1, false));
    assert_eq!(turn.lock_token.execution_id.0, 2);
    assert_eq!(ids(&turn), ["start 2"]);
    assert_eq!(subject.history("a", 1).await, ["started", "ended"]);
    assert_eq!(subject.history("a", 2).await, ["started again"]);
}

pub async fn a_history_goes_on_where_it_ended(subject: Subject) {
    subject.commit(None, vec![create("a", 1), append("a", 1, 1, &["1", "2"])]).await;
    subject.commit(None, vec![append("a", 1, 3, &["3"])]).await;
    subject.commit(None, vec![append("a", 1, 4, &[])]).await;
    subject.commit(None, vec![append("a", 1, 4, &["4", "5"])]).await;
    assert_eq!(subject.history("a", 1).await, ["1", "2", "3", "4", "5"]);
}

pub async fn a_conflict_says_where_the_history_goes_on(subject: Subject) {
    subject.commit(None, vec![create("a", 1), append("a", 1, 1, &["1", "2"])]).await;
    for wrong in [0, 1, 2, 4] {
        match subject.try_commit(None, vec![append("a", 1, wrong, &["x"])]).await {
            Err(CommitError::HistoryConflict { expected, given, .. }) => {
                assert_eq!((expected.0, given.0), (3, wrong));
            }
            other => panic!("{other:?}"),
        }
    }
    assert_eq!(subject.history("a", 1).await, ["1", "2"]);
}

pub async fn a_history_needs_its_instance(subject: Subject) {
    let missing = subject.try_commit(None, vec![append("a", 1, 1, &["1"])]).await;
    assert!(matches!(missing, Err(CommitError::NoInstance(_))));
    subject.commit(None, vec![create("a", 1)]).await;
    assert!(subject.try_commit(None, vec![append("a", 2, 1, &["1"])]).await.is_err());
    assert!(subject.history("a", 2).await.is_empty());
}

pub async fn histories_are_read_from_anywhere(subject: Subject) {
    subject.commit(None, vec![create("a", 1)]).await;
    let mut first = 1;
    for size in [1_u64, 3, 2, 70, 5] {
        let events: Vec<String> = (first..first + size).map(|n| n.to_string()).collect();
        let events: Vec<&str> = events.iter().map(String::as_str).collect();
        subject.commit(None, vec![append("a", 1, first, &events)]).await;
        first += size;
    }
    for from in [0, 1, 2, 4, 5, 6, 76, 81, 82] {
        for limit in [0, 1, 2, 64, 1000] {
            let got = subject.provider.history(&id("a"), ExecutionId(1), EventId(from), limit).await.unwrap();
            let want: Vec<u64> = (from.max(1)..=81).take(limit).collect();
            assert_eq!(got.iter().map(|event| event.id.0).collect::<Vec<_>>(), want, "from {from} limit {limit}");
            assert!(got.iter().all(|event| text(&event.data) == event.id.to_string()));
        }
    }
}

pub async fn a_history_without_events_is_empty(subject: Subject) {
    assert!(subject.history("a", 1).await.is_empty());
    subject.commit(None, vec![create("a", 1)]).await;
    assert!(subject.history("a", 1).await.is_empty());
}

pub async fn an_older_token_is_worthless_for_a_newer_execution(subject: Subject) {
    subject.start("a").await;
    let turn = subject.turn().await;
    subject.commit(Some(&turn.lock_token), vec![create("a", 2)]).await;
    let late = subject.try_commit(Some(&turn.lock_token), vec![append("a", 2, 1, &["late"])]).await;
    assert!(matches!(late, Err(CommitError::LeaseLost(_))));
    assert_eq!(subject.turn().await.lock_token.execution_id.0, 2);
}
