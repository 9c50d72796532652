//! Records in detail: values, labels, and the list of instances.

use bytes::Bytes;

use super::kit::*;
use crate::providers::{PageRequest, TransactionOp};

fn with(labels: &[(&str, &str)]) -> PageRequest {
    let labels = labels.iter().map(|(name, value)| ((*name).to_owned(), (*value).to_owned())).collect();
    PageRequest { labels, after: None, limit: 100, ..PageRequest::default() }
}

fn after(instance: &str, limit: usize) -> PageRequest {
    PageRequest { after: Some(id(instance)), limit, ..PageRequest::default() }
}

async fn named(subject: &Subject, names: &[&str]) {
    subject.commit(None, names.iter().map(|name| create(name, 1)).collect()).await;
}

pub async fn an_empty_value_is_not_none(subject: Subject) {
    subject.commit(None, vec![create("a", 1), put("a", "empty", Some("")), label("a", "empty", Some(""))]).await;
    let record = subject.record("a").await;
    assert!(record.metadata["empty"].is_empty() && record.labels["empty"].is_empty());
    assert_eq!(subject.listed(with(&[("empty", "")])).await, ["a"]);
    subject.commit(None, vec![put("a", "empty", None), label("a", "empty", None)]).await;
    let record = subject.record("a").await;
    assert!(record.metadata.is_empty() && record.labels.is_empty());
    assert!(subject.listed(with(&[("empty", "")])).await.is_empty());
}

pub async fn the_last_value_of_a_transaction_counts(subject: Subject) {
    let value = |text: &'static str| Some(Bytes::from_static(text.as_bytes()));
    let entries = vec![("k", value("1")), ("k", value("2")), ("gone", value("1")), ("gone", None)];
    let entries = entries.into_iter().map(|(key, value)| (key.to_owned(), value)).collect();
    let ops = vec![
        create("a", 1),
        TransactionOp::PutMetadata { instance: id("a"), entries },
        label("a", "l", Some("1")),
        label("a", "l", Some("2")),
        put("a", "k", Some("3")),
    ];
    subject.commit(None, ops).await;
    let record = subject.record("a").await;
    assert_eq!((record.metadata.len(), text(&record.metadata["k"]).as_str()), (1, "3"));
    assert_eq!(subject.listed(with(&[("l", "2")])).await, ["a"]);
    assert!(subject.listed(with(&[("l", "1")])).await.is_empty());
}

pub async fn hundreds_of_keys_come_back_in_order(subject: Subject) {
    let keys: Vec<String> = (0..400).map(|n| format!("key {n:03}")).collect();
    subject.commit(None, vec![create("a", 1)]).await;
    let entries = keys.iter().rev().map(|key| (key.clone(), Some(Bytes::copy_from_slice(key.as_bytes())))).collect();
    subject.commit(None, vec![TransactionOp::PutMetadata { instance: id("a"), entries }]).await;
    let record = subject.record("a").await;
    assert!(record.metadata.keys().eq(&keys));
    assert!(record.metadata.iter().all(|(key, value)| text(value) == *key));
}

pub async fn values_of_one_instance_are_not_those_of_another(subject: Subject) {
    named(&subject, &["a", "b"]).await;
    subject.commit(None, vec![put("a", "k", Some("a")), label("a", "l", Some("a"))]).await;
    let record = subject.record("b").await;
    assert_eq!((record.metadata.len(), record.labels.len(), record.revision), (0, 0, 1));
    subject.commit(None, vec![put("b", "k", Some("b")), put("a", "k", None)]).await;
    assert_eq!(text(&subject.record("b").await.metadata["k"]), "b");
}

pub async fn keys_are_compared_exactly(subject: Subject) {
    let keys = ["k", "K", "k ", " k", "kk", "é", "e\u{301}", ""];
    subject.commit(None, vec![create("a", 1)]).await;
    for key in keys {
        subject.commit(None, vec![put("a", key, Some(key))]).await;
    }
    subject.commit(None, vec![put("a", "k", None)]).await;
    let record = subject.record("a").await;
    assert_eq!(record.metadata.len(), keys.len() - 1);
    assert!(record.metadata.iter().all(|(key, value)| text(value) == *key));
}

pub async fn taking_away_what_is_not_there_is_fine(subject: Subject) {
    named(&subject, &["a"]).await;
    subject.commit(None, vec![put("a", "k", None), label("a", "l", None), put("a", "k", None)]).await;
    assert!(subject.record("a").await.metadata.is_empty());
}

pub async fn a_refused_transaction_raises_no_revision(subject: Subject) {
    named(&subject, &["a"]).await;
    for _ in 0..3 {
        subject.refused(None, vec![put("a", "k", Some("v")), append("a", 1, 9, &["gap"])]).await;
    }
    assert_eq!(subject.revision("a").await, 1);
}

pub async fn one_transaction_raises_a_revision_once(subject: Subject) {
    named(&subject, &["a"]).await;
    let ops = vec![put("a", "k", Some("1")), label("a", "l", Some("1")), put("a", "k", Some("2")), create("a", 2)];
    let before = subject.revision("a").await;
    subject.commit(None, vec![put("a", "k", Some("0"))]).await;
    let step = subject.revision("a").await - before;
    subject.commit(None, ops).await;
    assert_eq!(subject.revision("a").await, before + 2 * step);
}

pub async fn the_revision_of_one_is_not_raised_by_another(subject: Subject) {
    named(&subject, &["a", "b"]).await;
    subject.commit(None, vec![put("a", "k", Some("v")), send("b", "m"), schedule("b", "job")]).await;
    assert_eq!(subject.revision("b").await, 1);
}

pub async fn a_label_has_one_value(subject: Subject) {
    named(&subject, &["a"]).await;
    for value in ["1", "2", "3"] {
        subject.commit(None, vec![label("a", "l", Some(value))]).await;
        assert_eq!(subject.listed(with(&[("l", value)])).await, ["a"]);
    }
    assert!(subject.listed(with(&[("l", "1")])).await.is_empty());
    assert!(subject.listed(with(&[("l", "3"), ("l", "2")])).await.is_empty());
}

pub async fn labels_are_compared_exactly(subject: Subject) {
    let values = ["x", "X", "x ", "xx", "é", "e\u{301}", "%", "_", "x%", "*"];
    for (at, value) in values.iter().enumerate() {
        let name = format!("i{at}");
        subject.commit(None, vec![create(&name, 1), label(&name, "l", Some(value))]).await;
    }
    for (at, value) in values.iter().enumerate() {
        assert_eq!(subject.listed(with(&[("l", value)])).await, [format!("i{at}")], "{value}");
    }
    assert!(subject.listed(with(&[("L", "x")])).await.is_empty());
}

pub async fn all_labels_asked_for_must_be_there(subject: Subject) {
    for (name, labels) in [("a", vec!["x"]), ("b", vec!["x", "y"]), ("c", vec!["x", "y", "z"])] {
        let mut ops = vec![create(name, 1)];
        ops.extend(labels.into_iter().map(|of| label(name, of, Some("yes"))));
        subject.commit(None, ops).await;
    }
    assert_eq!(subject.listed(with(&[("x", "yes")])).await, ["a", "b", "c"]);
    assert_eq!(subject.listed(with(&[("y", "yes"), ("x", "yes")])).await, ["b", "c"]);
    assert_eq!(subject.listed(with(&[("x", "yes"), ("y", "yes"), ("z", "yes")])).await, ["c"]);
    assert!(subject.listed(with(&[("x", "yes"), ("z", "no")])).await.is_empty());
}

pub async fn labels_that_look_alike_are_two(subject: Subject) {
    // Name and value must not run into each other.
    subject.commit(None, vec![create("a", 1), label("a", "ab", Some("c"))]).await;
    subject.commit(None, vec![create("b", 1), label("b", "a", Some("bc"))]).await;
    subject.commit(None, vec![create("c", 1), label("c", "a=b", Some("c"))]).await;
    subject.commit(None, vec![create("d", 1), label("d", "a", Some("b=c"))]).await;
    for (name, value, found) in [("ab", "c", "a"), ("a", "bc", "b"), ("a=b", "c", "c"), ("a", "b=c", "d")] {
        assert_eq!(subject.listed(with(&[(name, value)])).await, [found]);
    }
}

pub async fn a_list_holds_whole_records(subject: Subject) {
    for name in ["a", "b"] {
        let ops = vec![create(name, 1), create(name, 2), put(name, "k", Some(name)), label(name, "l", Some(name))];
        subject.commit(None, ops).await;
    }
    let page = subject.provider.instances(with(&[])).await.unwrap();
    for record in page.instances {
        assert_eq!(record, subject.record(record.instance.as_str()).await);
    }
}

pub async fn a_list_is_ordered_by_the_bytes_of_ids(subject: Subject) {
    let names = ["b", "a", "Z", "aa", "a\u{10ffff}", "é", "a b", "~", "a-", "10", "9"];
    named(&subject, &names).await;
    let mut sorted = names.to_vec();
    sorted.sort_unstable();
    assert_eq!(subject.listed(with(&[])).await, sorted);
}

pub async fn an_empty_store_lists_nothing(subject: Subject) {
    subject.commit(None, vec![send("a", "m"), schedule("a", "job")]).await;
    let _turn = subject.turn_of("b").await;
    let page = subject.provider.instances(with(&[])).await.unwrap();
    assert!(page.instances.is_empty() && page.next.is_none());
}

pub async fn a_page_goes_on_after_an_id_that_is_gone(subject: Subject) {
    named(&subject, &["a", "c", "e"]).await;
    assert_eq!(subject.listed(after("b", 10)).await, ["c", "e"]);
    subject.commit(None, vec![delete("c")]).await;
    assert_eq!(subject.listed(after("c", 10)).await, ["e"]);
    assert!(subject.listed(after("e", 10)).await.is_empty());
    assert!(subject.listed(after("z", 10)).await.is_empty());
}

pub async fn what_is_made_between_two_pages_is_seen_if_it_comes_later(subject: Subject) {
    named(&subject, &["b", "d", "f"]).await;
    let first = subject.provider.instances(PageRequest { limit: 2, ..PageRequest::default() }).await.unwrap();
    assert_eq!(first.next, Some(id("d")));
    named(&subject, &["a", "e"]).await;
    subject.commit(None, vec![delete("b")]).await;
    let rest = subject.provider.instances(PageRequest { after: first.next, limit: 9, ..PageRequest::default() }).await;
    let rest: Vec<_> = rest.unwrap().instances.into_iter().map(|record| record.instance.to_string()).collect();
    assert_eq!(rest, ["e", "f"]);
}

pub async fn a_filter_reaches_over_many_pages(subject: Subject) {
    let mut ops = Vec::new();
    for n in 0..700 {
        let name = format!("i{n:03}");
        ops.push(create(&name, 1));
        if n % 300 == 299 {
            ops.push(label(&name, "rare", Some("yes")));
        }
    }
    subject.commit(None, ops).await;
    assert_eq!(subject.listed(with(&[("rare", "yes")])).await, ["i299", "i599"]);
    let one = subject.provider.instances(PageRequest { limit: 1, ..with(&[("rare", "yes")]) }).await.unwrap();
    assert_eq!(only(one.instances).instance, id("i299"));
    let next = PageRequest { after: one.next, limit: 1, ..with(&[("rare", "yes")]) };
    assert_eq!(subject.listed(next).await, ["i599"]);
}
