//! The keys and values of an instance.

use bytes::Bytes;

use super::kit::*;
use crate::ids::ExecutionId;
use crate::providers::{CommitError, KvPageRequest, TransactionOp};

fn keep(instance: &str, entries: &[(&str, Option<&str>)]) -> TransactionOp {
    let bytes = |value: &str| Bytes::copy_from_slice(value.as_bytes());
    let entries = entries.iter().map(|(key, value)| ((*key).to_owned(), value.map(bytes))).collect();
    TransactionOp::PutKv { instance: id(instance), entries }
}

async fn value(subject: &Subject, instance: &str, key: &str) -> Option<String> {
    subject.provider.kv(&id(instance), key).await.unwrap().map(|value| text(&value))
}

/// The keys of a page, and where the next one begins.
async fn keys(subject: &Subject, prefix: &str, after: Option<&str>, limit: usize) -> (Vec<String>, Option<String>) {
    let page = KvPageRequest { prefix: prefix.to_owned(), after: after.map(str::to_owned), limit };
    let page = subject.provider.kv_page(&id("a"), page).await.unwrap();
    (page.entries.into_iter().map(|(key, _)| key).collect(), page.next)
}

pub async fn values_are_kept_changed_and_taken_away(subject: Subject) {
    let long = "x".repeat(30_000);
    subject
        .commit(None, vec![create("a", 1), keep("a", &[("k", Some("v")), ("", Some(&long)), ("e", Some(""))])])
        .await;
    assert_eq!(value(&subject, "a", "k").await.as_deref(), Some("v"));
    assert_eq!(value(&subject, "a", "").await.as_deref(), Some(&*long));
    assert_eq!(value(&subject, "a", "e").await.as_deref(), Some(""));
    subject.commit(None, vec![keep("a", &[("k", None), ("", Some("short")), ("none", None)])]).await;
    assert_eq!(value(&subject, "a", "k").await, None);
    assert_eq!(value(&subject, "a", "").await.as_deref(), Some("short"));
    assert_eq!(keys(&subject, "", None, 10).await, (vec![String::new(), "e".to_owned()], None));
    assert!(subject.record("a").await.metadata.is_empty(), "they do not stand in the record");
}

pub async fn values_of_instances_and_prefixes_stay_apart(subject: Subject) {
    subject.commit(None, vec![create("a", 1), create("a b", 1), keep("a", &[("k", Some("1"))])]).await;
    subject.commit(None, vec![keep("a b", &[("k", Some("2")), ("k2", Some("3"))])]).await;
    assert_eq!(value(&subject, "a", "k").await.as_deref(), Some("1"));
    assert_eq!(keys(&subject, "", None, 10).await.0, ["k"]);
    subject
        .commit(None, vec![keep("a", &[("ka", Some("")), ("k☃", Some("")), ("l", Some("")), ("j", Some(""))])])
        .await;
    assert_eq!(keys(&subject, "k", None, 10).await.0, ["k", "ka", "k☃"]);
    assert_eq!(keys(&subject, "kz", None, 10).await.0, Vec::<String>::new());
}

pub async fn values_come_in_pages(subject: Subject) {
    let names: Vec<_> = (0..25).map(|number| format!("k{number:02}")).collect();
    let entries: Vec<_> = names.iter().map(|name| (name.as_str(), Some("v"))).collect();
    subject.commit(None, vec![create("a", 1), keep("a", &entries)]).await;
    for limit in [1, 7, 24, 25, 26] {
        let (mut found, mut after) = (Vec::new(), None);
        loop {
            let (page, next) = keys(&subject, "k", after.as_deref(), limit).await;
            assert!(page.len() <= limit && !page.is_empty(), "no page is empty while there is more");
            found.extend(page);
            after = next;
            if after.is_none() {
                break;
            }
        }
        assert_eq!(found, names, "{limit}");
    }
}

pub async fn values_raise_the_revision_once(subject: Subject) {
    subject.start("a").await;
    let before = subject.revision("a").await;
    subject
        .commit(None, vec![keep("a", &[("k", Some("1"))]), keep("a", &[("l", Some("2"))]), put("a", "m", Some("3"))])
        .await;
    assert_eq!(subject.revision("a").await, before + 1);
}

pub async fn values_need_their_instance(subject: Subject) {
    let refused = subject.refused(None, vec![keep("a", &[("k", Some("v"))])]).await;
    assert!(matches!(refused, CommitError::NoInstance(instance) if instance == id("a")));
    assert_eq!(value(&subject, "a", "k").await, None);
    assert_eq!(keys(&subject, "", None, 10).await, (Vec::new(), None));
}

pub async fn values_outlive_executions_and_restarts_and_go_with_the_instance(mut subject: Subject) {
    subject.commit(None, vec![create("a", 1), keep("a", &[("k", Some("v"))])]).await;
    subject.commit(None, vec![create("a", 2)]).await;
    assert_eq!(value(&subject, "a", "k").await.as_deref(), Some("v"));
    let execution_id = ExecutionId(1);
    subject.commit(None, vec![TransactionOp::DeleteExecution { instance: id("a"), execution_id }]).await;
    assert_eq!(value(&subject, "a", "k").await.as_deref(), Some("v"));
    if subject.restart().await {
        assert_eq!(value(&subject, "a", "k").await.as_deref(), Some("v"));
    }
    subject.commit(None, vec![keep("a", &[("l", Some("w"))]), delete("a")]).await;
    subject.commit(None, vec![create("a", 1)]).await;
    assert_eq!(keys(&subject, "", None, 10).await, (Vec::new(), None));
}

pub async fn a_refused_transaction_changes_no_value(subject: Subject) {
    subject.commit(None, vec![create("a", 1), keep("a", &[("k", Some("v"))])]).await;
    subject.refused(None, vec![keep("a", &[("k", None), ("l", Some("w"))]), create("a", 7)]).await;
    assert_eq!(keys(&subject, "", None, 10).await.0, ["k"]);
}
