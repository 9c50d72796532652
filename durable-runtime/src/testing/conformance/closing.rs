//! Closing: what was answered is kept, what comes later is refused, and whoever waits hears of it.

use futures_util::future::{join, join_all};

use super::kit::*;
use crate::ids::{EventId, ExecutionId};
use crate::providers::{ActivityRequest, CommitError, ErrorKind, PageRequest, ProviderError};

fn is_closed<T: std::fmt::Debug>(result: Result<T, ProviderError>) {
    let error = result.unwrap_err();
    assert_eq!(error.kind(), ErrorKind::Closed, "{error}");
    assert!(!error.is_transient(), "a store that was closed does not come back by asking again");
}

pub async fn every_call_is_refused_after_closing(subject: Subject) {
    subject.start("a").await;
    let turn = subject.turn().await;
    let store = &subject.provider;
    store.close().await;
    is_closed(store.fetch_turns(any_turn(1)).await);
    is_closed(store.fetch_activities(any_activity(1)).await);
    is_closed(store.renew(&[turn.lock_token], TTL).await);
    is_closed(store.instance(&id("a")).await);
    is_closed(store.wait_for_change(&id("a"), 1, LONG).await);
    is_closed(store.history(&id("a"), ExecutionId(1), EventId(1), 1).await);
    is_closed(store.instances(PageRequest { limit: 1, ..PageRequest::default() }).await);
    is_closed(store.stats().await);
    match subject.refused(None, vec![create("b", 1)]).await {
        CommitError::Provider(error) => is_closed::<()>(Err(error)),
        other => panic!("{other:?}"),
    }
}

pub async fn closing_wakes_all_who_wait(subject: Subject) {
    subject.commit(None, vec![create("a", 1)]).await;
    let instance = id("a");
    let activities = subject.provider.fetch_activities(ActivityRequest { wait: LONG, ..any_activity(1) });
    let changes = join_all((0..3).map(|_| subject.provider.wait_for_change(&instance, 1, LONG)));
    let ((jobs, records), ()) = join(join(activities, changes), subject.provider.close()).await;
    is_closed(jobs);
    records.into_iter().for_each(is_closed);
}

pub async fn closing_from_several_sides_is_fine(subject: Subject) {
    subject.start("a").await;
    join_all((0..4).map(|_| subject.provider.close())).await;
    is_closed(subject.provider.stats().await);
}

pub async fn capabilities_are_known_also_when_closed(subject: Subject) {
    let before = subject.provider.capabilities();
    assert!(!before.name.is_empty());
    subject.provider.close().await;
    assert_eq!(subject.provider.capabilities(), before);
}

pub async fn transactions_beside_the_closing_are_kept_or_refused(subject: Subject) {
    let names: Vec<String> = (0..20).map(|n| n.to_string()).collect();
    let all = join_all(names.iter().map(|name| subject.try_commit(None, vec![create(name, 1)])));
    let (results, ()) = join(all, subject.provider.close()).await;
    for result in results {
        match result {
            Ok(_) => {}
            Err(CommitError::Provider(error)) => {
                assert!(matches!(error.kind(), ErrorKind::Closed | ErrorKind::Ambiguous), "{error}");
            }
            Err(other) => panic!("{other:?}"),
        }
    }
}

pub async fn errors_name_what_they_are_about(subject: Subject) {
    subject.start("a").await;
    let token = subject.turn().await.lock_token;
    let names = async |ops, wanted: &[&str]| {
        let said = subject.refused(None, ops).await.to_string();
        assert!(wanted.iter().all(|part| said.contains(part)), "{said}");
    };
    names(vec![create("a", 7)], &["`a`", "1"]).await;
    names(vec![append("a", 1, 9, &["x"])], &["`a`", "execution 1", "event 1", "9"]).await;
    names(vec![put("nobody", "k", None)], &["`nobody`"]).await;
    names(vec![append("a", 5, 1, &["x"])], &["commit", "`a`", "5"]).await;
    names(vec![ack("a", &["start"])], &["commit", "`a`", "AckMessages"]).await;
    names(vec![ack_work(&token)], &[&token.to_string()]).await;
    names(vec![release()], &["ReleaseLock"]).await;
    subject.clock.advance(TTL);
    let said = subject.refused(Some(&token), vec![]).await.to_string();
    assert!(said.contains(&token.to_string()), "{said}");
}

pub async fn what_breaks_a_rule_is_not_to_be_tried_again(subject: Subject) {
    subject.commit(None, vec![create("a", 1)]).await;
    for op in [ack("a", &["x"]), release(), append("a", 7, 1, &["x"])] {
        match subject.refused(None, vec![op]).await {
            CommitError::Provider(error) => {
                assert_eq!((error.kind(), error.is_transient()), (ErrorKind::Invalid, false));
            }
            other => panic!("{other:?}"),
        }
    }
}
