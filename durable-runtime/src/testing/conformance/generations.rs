//! One instance through many executions: each with a history of its own, opened by the transaction that says so.

use futures_util::future::join_all;

use super::kit::*;
use crate::ids::{EventId, ExecutionId, LockToken};
use crate::providers::{CommitError, ErrorKind, Renewal};

/// The contract of continue-as-new, over five executions: histories apart, ids that count up by one, tokens that name
/// their execution, and nothing written under those of an older one.
pub async fn continue_as_new_multiexec(subject: Subject) {
    subject.commit(None, vec![create("a", 1), send("a", "m0")]).await;
    let mut older: Vec<LockToken> = Vec::new();
    for execution in 1..=5 {
        let turn = subject.turn().await;
        assert_eq!((turn.execution_id.0, turn.history_len, turn.is_new_execution), (execution, 0, true));
        let token = turn.lock_token.clone();
        assert_eq!(token.to_string(), format!("a-{execution}-{}-{}", token.granted_at_ms, token.fence));
        worthless(&subject, &older, &token).await;
        for wrong in [execution, execution + 2] {
            let error = subject.refused(Some(&token), vec![create("a", wrong)]).await;
            assert!(matches!(error, CommitError::ExecutionExists { newest, .. } if newest.0 == execution));
        }
        subject.commit(None, vec![send("a", &format!("raised {execution}"))]).await;
        let done = ids(&turn);
        let done: Vec<&str> = done.iter().map(String::as_str).collect();
        let (begin, end) = (format!("{execution} begins"), format!("{execution} ends"));
        let ops = vec![
            append("a", execution, 1, &[&begin, &end]),
            ack("a", &done),
            create("a", execution + 1),
            send("a", &format!("m{execution}")),
            release(),
        ];
        subject.commit(Some(&token), ops).await;
        older.push(token);
    }
    for execution in 1..=5 {
        let own = [format!("{execution} begins"), format!("{execution} ends")];
        assert_eq!(subject.history("a", execution).await, own);
    }
    assert!(subject.history("a", 6).await.is_empty());
    let turn = subject.turn().await;
    // Nothing that came in during an execution was lost on the way to the next.
    assert_eq!((turn.execution_id.0, ids(&turn)), (6, vec!["raised 5".to_owned(), "m5".to_owned()]));
    worthless(&subject, &older, &turn.lock_token).await;
    subject.commit(Some(&turn.lock_token), vec![append("a", 6, 1, &["goes on"])]).await;
}

/// No token of an older execution writes anything, not even with the newest fence.
async fn worthless(subject: &Subject, older: &[LockToken], newest: &LockToken) {
    let before = subject.seen().await;
    for old in older {
        assert!(old.fence < newest.fence);
        let forged = LockToken { execution_id: old.execution_id, ..newest.clone() };
        for token in [old, &forged] {
            let ops = vec![append("a", newest.execution_id.0, 1, &["late"]), send("b", "late")];
            let error = subject.refused(Some(token), ops).await;
            assert!(matches!(&error, CommitError::LeaseLost(lost) if lost == token), "{error:?}");
            assert_eq!(subject.renew(token).await, Renewal::Lost);
        }
    }
    assert_eq!(subject.seen().await, before);
}

pub async fn an_execution_is_new_until_its_first_event(subject: Subject) {
    subject.commit(None, vec![create("a", 1), append("a", 1, 1, &["one"]), create("a", 2), send("a", "m")]).await;
    let turn = subject.turn().await;
    assert_eq!((turn.execution_id.0, turn.is_new_execution, turn.history_len), (2, true, 0));
    subject.commit(Some(&turn.lock_token), vec![append("a", 2, 1, &["one"]), release()]).await;
    let turn = subject.turn().await;
    assert_eq!((turn.execution_id.0, turn.is_new_execution, turn.history_len), (2, false, 1));
}

pub async fn execution_ids_count_up_by_one(subject: Subject) {
    for execution in 1..=60 {
        subject.refused(None, vec![create("a", execution + 1)]).await;
        subject.commit(None, vec![create("a", execution)]).await;
        assert_eq!(subject.record("a").await.execution_id.0, execution);
    }
}

pub async fn there_is_no_execution_zero(subject: Subject) {
    subject.refused(None, vec![create("a", 0)]).await;
    subject.commit(None, vec![create("a", 1)]).await;
    subject.refused(None, vec![create("a", 0)]).await;
    let error = subject.refused(None, vec![append("a", 0, 1, &["x"])]).await;
    assert!(matches!(error, CommitError::Provider(error) if error.kind() == ErrorKind::Invalid));
    assert!(subject.history("a", 0).await.is_empty());
}

pub async fn an_execution_far_away_is_refused(subject: Subject) {
    subject.commit(None, vec![create("a", 1)]).await;
    for far in [3, 1 << 33, u64::MAX >> 1] {
        subject.refused(None, vec![create("a", far)]).await;
        subject.refused(None, vec![append("a", far, 1, &["x"])]).await;
        assert!(subject.history("a", far).await.is_empty());
    }
}

pub async fn a_finished_execution_can_still_be_written_to(subject: Subject) {
    // Whether it may is for the runtime to say: a provider knows no ends.
    subject.commit(None, vec![create("a", 1), append("a", 1, 1, &["one"]), create("a", 2)]).await;
    subject.commit(None, vec![append("a", 1, 2, &["two"]), append("a", 2, 1, &["other"])]).await;
    assert_eq!(subject.history("a", 1).await, ["one", "two"]);
    assert_eq!(subject.history("a", 2).await, ["other"]);
}

pub async fn each_history_counts_its_own_events(subject: Subject) {
    subject.commit(None, vec![create("a", 1), append("a", 1, 1, &["1", "2", "3"]), create("a", 2)]).await;
    for (execution, expected) in [(1, 4), (2, 1)] {
        match subject.refused(None, vec![append("a", execution, 9, &["x"])]).await {
            CommitError::HistoryConflict { execution_id, expected: found, .. } => {
                assert_eq!((execution_id.0, found.0), (execution, expected));
            }
            other => panic!("{other:?}"),
        }
    }
}

pub async fn two_executions_can_open_in_one_transaction(subject: Subject) {
    let ops =
        vec![create("a", 1), append("a", 1, 1, &["1"]), create("a", 2), append("a", 2, 1, &["2"]), create("a", 3)];
    subject.commit(None, ops).await;
    assert_eq!(subject.history("a", 1).await, ["1"]);
    assert_eq!(subject.history("a", 2).await, ["2"]);
    assert_eq!(subject.record("a").await.execution_id.0, 3);
}

pub async fn of_many_that_open_the_next_execution_one_does(subject: Subject) {
    subject.commit(None, vec![create("a", 1)]).await;
    let names: Vec<String> = (0..16).map(|n| n.to_string()).collect();
    let all = names.iter().map(|name| subject.try_commit(None, vec![create("a", 2), append("a", 2, 1, &[name])]));
    assert_eq!(join_all(all).await.iter().filter(|result| result.is_ok()).count(), 1);
    assert_eq!(subject.history("a", 2).await.len(), 1);
}

pub async fn the_record_goes_on_over_executions(subject: Subject) {
    subject.commit(None, vec![create("a", 1), put("a", "k", Some("v")), label("a", "l", Some("m"))]).await;
    let before = subject.revision("a").await;
    subject.commit(None, vec![create("a", 2)]).await;
    let record = subject.record("a").await;
    assert_eq!((text(&record.metadata["k"]).as_str(), record.labels["l"].as_str()), ("v", "m"));
    assert!(record.revision > before);
}

pub async fn messages_wait_over_the_change_of_execution(subject: Subject) {
    subject.start("a").await;
    let turn = subject.turn().await;
    subject.commit(None, vec![send("a", "1"), send("a", "2"), send_at("a", "timer", subject.in_time(50))]).await;
    let ops = vec![ack("a", &["start"]), create("a", 2), send("a", "3"), release()];
    subject.commit(Some(&turn.lock_token), ops).await;
    let turn = subject.turn().await;
    assert_eq!((turn.execution_id.0, ids(&turn)), (2, vec!["1".to_owned(), "2".to_owned(), "3".to_owned()]));
    subject.clock.advance(LONG);
    assert_eq!(subject.turn().await.messages.len(), 4);
}

pub async fn a_message_for_an_older_execution_is_handed_out_all_the_same(subject: Subject) {
    // What it changes is for the runtime to say.
    subject.commit(None, vec![create("a", 1), create("a", 2), send("a", "late completion")]).await;
    let turn = subject.turn().await;
    assert_eq!((turn.execution_id.0, ids(&turn)), (2, vec!["late completion".to_owned()]));
}

pub async fn the_transaction_that_opens_an_execution_goes_on_under_its_lease(subject: Subject) {
    subject.start("a").await;
    let turn = subject.turn().await;
    let ops = vec![create("a", 2), ack("a", &["start"]), append("a", 2, 1, &["one"]), put("a", "k", Some("v"))];
    subject.commit(Some(&turn.lock_token), ops).await;
    // Without a release: the lease was of execution 1, and has ended with it.
    subject.commit(None, vec![send("a", "m")]).await;
    let next = subject.turn().await;
    assert_eq!((next.lock_token.execution_id.0, next.history_len), (2, 1));
    assert_eq!(subject.renew(&turn.lock_token).await, Renewal::Lost);
}

pub async fn opening_an_execution_of_another_does_not_end_this_lease(subject: Subject) {
    subject.start("a").await;
    subject.commit(None, vec![create("b", 1)]).await;
    let turn = subject.turn().await;
    subject.commit(Some(&turn.lock_token), vec![create("b", 2)]).await;
    subject.commit(Some(&turn.lock_token), vec![append("a", 1, 1, &["mine still"]), release()]).await;
}

pub async fn histories_of_many_executions_are_read_apart(subject: Subject) {
    for execution in 1..=30 {
        let events: Vec<String> = (1..=execution).map(|n| format!("{execution}/{n}")).collect();
        let events: Vec<&str> = events.iter().map(String::as_str).collect();
        subject.commit(None, vec![create("a", execution), append("a", execution, 1, &events)]).await;
    }
    for execution in [1, 2, 9, 10, 11, 29, 30] {
        let events = subject.provider.history(&id("a"), ExecutionId(execution), EventId(1), usize::MAX).await.unwrap();
        assert_eq!(events.len() as u64, execution);
        assert!(events.iter().all(|event| text(&event.data) == format!("{execution}/{}", event.id)));
    }
}

pub async fn executions_of_one_instance_are_not_those_of_another(subject: Subject) {
    subject.commit(None, vec![create("a", 1), create("a", 2), create("a", 3)]).await;
    subject.commit(None, vec![create("b", 1), append("b", 1, 1, &["b"])]).await;
    subject.refused(None, vec![append("b", 2, 1, &["x"])]).await;
    assert!(subject.history("a", 1).await.is_empty());
    assert_eq!(subject.record("b").await.execution_id.0, 1);
}
