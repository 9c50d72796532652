//! What is deleted is gone, all of it.

use super::kit::*;
use crate::providers::{CommitError, PageRequest, Renewal, Stats};

async fn full(subject: &Subject, instance: &str) {
    let long = "x".repeat(20_000);
    let ops = vec![
        create(instance, 1),
        append(instance, 1, 1, &["one", &long]),
        create(instance, 2),
        append(instance, 2, 1, &["again"]),
        send(instance, &"m".repeat(300)),
        schedule(instance, "job"),
        schedule(instance, "leased"),
        put(instance, "output", Some(&long)),
        label(instance, "kind", Some("order")),
    ];
    subject.commit(None, ops).await;
}

pub async fn a_deleted_instance_leaves_nothing(subject: Subject) {
    full(&subject, "a").await;
    subject.commit(None, vec![delete("a")]).await;
    assert!(!subject.exists("a").await);
    assert!(subject.history("a", 1).await.is_empty());
    assert!(subject.history("a", 2).await.is_empty());
    assert!(subject.turns(10).await.is_empty());
    assert!(subject.activities(10).await.is_empty());
    assert!(subject.listed(PageRequest { limit: 10, ..PageRequest::default() }).await.is_empty());
    assert_eq!(subject.provider.stats().await.unwrap(), Stats::default());
}

pub async fn deleting_ends_leases(subject: Subject) {
    full(&subject, "a").await;
    let (turn, jobs) = (subject.turn().await, subject.activities(10).await);
    subject.commit(None, vec![delete("a")]).await;
    assert_eq!(subject.renew(&turn.lock_token).await, Renewal::Lost);
    assert_eq!(subject.renew(&jobs[0].lock_token).await, Renewal::Lost);
    let late = subject.try_commit(Some(&turn.lock_token), vec![append("a", 2, 2, &["late"])]).await;
    assert!(matches!(late, Err(CommitError::LeaseLost(_))));
    let late = subject.try_commit(None, vec![ack_work(&jobs[1].lock_token), send("a", "done")]).await;
    assert!(matches!(late, Err(CommitError::WorkGone(_))));
    assert_eq!(subject.provider.stats().await.unwrap(), Stats::default());
}

pub async fn deleting_what_does_not_exist_is_fine(subject: Subject) {
    subject.commit(None, vec![delete("a")]).await;
    subject.commit(None, vec![send("a", "early")]).await;
    subject.commit(None, vec![delete("a")]).await;
    assert_eq!(subject.provider.stats().await.unwrap(), Stats::default());
}

pub async fn a_deleted_id_can_be_used_again(subject: Subject) {
    full(&subject, "a").await;
    subject.commit(None, vec![delete("a")]).await;
    subject.start("a").await;
    let turn = subject.turn().await;
    assert_eq!((turn.execution_id.0, turn.history_len, turn.is_new_execution), (1, 0, true));
    assert!(subject.history("a", 1).await.is_empty());
    assert!(subject.provider.instance(&id("a")).await.unwrap().unwrap().metadata.is_empty());
}

pub async fn deleting_needs_no_lease(subject: Subject) {
    subject.start("a").await;
    let turn = subject.turn().await;
    subject.clock.advance(LONG);
    subject.commit(None, vec![delete("a")]).await;
    assert!(!subject.exists("a").await);
    assert_eq!(subject.renew(&turn.lock_token).await, Renewal::Lost);
}

pub async fn deleting_does_not_touch_others(subject: Subject) {
    for name in ["a", "a ", "aa", "A", "b"] {
        full(&subject, name).await;
    }
    subject.commit(None, vec![delete("a")]).await;
    for name in ["a ", "aa", "A", "b"] {
        assert!(subject.exists(name).await);
        assert_eq!(subject.history(name, 1).await.len(), 2);
    }
    assert_eq!(subject.turns(10).await.len(), 4);
    assert_eq!(subject.activities(100).await.len(), 8);
}

pub async fn an_instance_is_deleted_and_made_anew_in_one_transaction(subject: Subject) {
    full(&subject, "a").await;
    let ops = vec![delete("a"), create("a", 1), append("a", 1, 1, &["anew"]), send("a", "start")];
    subject.commit(None, ops).await;
    assert_eq!(subject.history("a", 1).await, ["anew"]);
    assert!(subject.history("a", 2).await.is_empty());
    assert_eq!(ids(&subject.turn().await), ["start"]);
    assert_eq!(subject.provider.stats().await.unwrap().instances, 1);
}
