//! Lists by labels: what filters find, in which order, and what the index remembers.

use super::kit::*;
use crate::providers::{LabelFilter, PageRequest, TransactionOp};

async fn labelled(subject: &Subject, instances: &[(&str, &[(&str, &str)])]) {
    for (instance, labels) in instances {
        let labels = labels.iter().map(|(name, value)| ((*name).to_owned(), Some((*value).to_owned()))).collect();
        subject
            .commit(None, vec![create(instance, 1), TransactionOp::PutLabels { instance: id(instance), labels }])
            .await;
    }
}

async fn found(subject: &Subject, filters: &[LabelFilter]) -> Vec<String> {
    let page = PageRequest { filters: filters.to_vec(), limit: 100, ..PageRequest::default() };
    subject.listed(page).await
}

fn one_of(name: &str, values: &[&str]) -> LabelFilter {
    LabelFilter::OneOf { name: name.to_owned(), values: values.iter().map(|value| (*value).to_owned()).collect() }
}

fn equals(name: &str, value: &str) -> LabelFilter {
    LabelFilter::Equals { name: name.to_owned(), value: value.to_owned() }
}

pub async fn each_filter_finds_what_it_says(subject: Subject) {
    let instances: &[(&str, &[(&str, &str)])] = &[
        ("a", &[("kind", "order"), ("at", "0010")]),
        ("b", &[("kind", "orders"), ("at", "0020")]),
        ("c", &[("kind", "invoice")]),
        ("d", &[("other", "order"), ("at", "")]),
    ];
    labelled(&subject, instances).await;
    let (kind, at) = (|| "kind".to_owned(), || "at".to_owned());
    let text = |text: &str| Some(text.to_owned());
    assert_eq!(found(&subject, &[equals("kind", "order")]).await, ["a"]);
    assert_eq!(found(&subject, &[one_of("kind", &["invoice", "order", "none"])]).await, ["a", "c"]);
    assert_eq!(found(&subject, &[one_of("kind", &[])]).await, Vec::<String>::new());
    assert_eq!(found(&subject, &[LabelFilter::Prefix { name: kind(), prefix: "ord".to_owned() }]).await, ["a", "b"]);
    assert_eq!(found(&subject, &[LabelFilter::Exists { name: at() }]).await, ["a", "b", "d"]);
    assert_eq!(found(&subject, &[LabelFilter::Missing { name: kind() }]).await, ["d"]);
    let between = |from, to| LabelFilter::Between { name: at(), from, to };
    assert_eq!(found(&subject, &[between(text("0010"), text("0020"))]).await, ["a"]);
    assert_eq!(found(&subject, &[between(text("0011"), None)]).await, ["b"]);
    assert_eq!(found(&subject, &[between(None, text("0011"))]).await, ["a", "d"]);
    assert_eq!(found(&subject, &[]).await, ["a", "b", "c", "d"]);
}

pub async fn filters_and_labels_hold_together(subject: Subject) {
    let instances: &[(&str, &[(&str, &str)])] =
        &[("a", &[("x", "1"), ("y", "1")]), ("b", &[("x", "1"), ("y", "2")]), ("c", &[("x", "2"), ("y", "1")])];
    labelled(&subject, instances).await;
    assert_eq!(found(&subject, &[equals("x", "1"), equals("y", "1")]).await, ["a"]);
    assert_eq!(found(&subject, &[equals("x", "1"), equals("x", "2")]).await, Vec::<String>::new());
    assert_eq!(found(&subject, &[one_of("x", &["1", "2"]), one_of("y", &["1"])]).await, ["a", "c"]);
    let missing = LabelFilter::Missing { name: "z".to_owned() };
    let labels = vec![("x".to_owned(), "1".to_owned())];
    let page = PageRequest { labels, filters: vec![missing, equals("y", "2")], limit: 9, ..PageRequest::default() };
    assert_eq!(subject.listed(page).await, ["b"]);
}

pub async fn filtered_pages_follow_each_other(subject: Subject) {
    for number in 0..60 {
        let labels: &[(&str, &str)] = if number % 3 == 0 { &[("kind", "b")] } else { &[("kind", "c")] };
        labelled(&subject, &[(&format!("i{number:02}"), labels)]).await;
    }
    let all: Vec<_> = (0..60).filter(|number| number % 3 == 0).map(|number| format!("i{number:02}")).collect();
    for filter in [
        equals("kind", "b"),
        one_of("kind", &["b", "x"]),
        LabelFilter::Prefix { name: "kind".to_owned(), prefix: "b".to_owned() },
    ] {
        for limit in [1, 7, 20, 100] {
            let (mut found, mut after) = (Vec::new(), None);
            loop {
                let page = PageRequest { filters: vec![filter.clone()], after, limit, ..PageRequest::default() };
                let page = subject.provider.instances(page).await.unwrap();
                assert!(page.instances.len() <= limit);
                found.extend(page.instances.into_iter().map(|record| record.instance.to_string()));
                after = page.next;
                if after.is_none() {
                    break;
                }
            }
            assert_eq!(found, all, "{filter:?} {limit}");
        }
    }
}

pub async fn what_a_label_was_finds_nothing(subject: Subject) {
    labelled(&subject, &[("a", &[("kind", "old")]), ("b", &[("kind", "old")])]).await;
    subject.commit(None, vec![label("a", "kind", Some("new")), label("b", "kind", None)]).await;
    assert_eq!(found(&subject, &[equals("kind", "old")]).await, Vec::<String>::new());
    assert_eq!(found(&subject, &[one_of("kind", &["old", "new"])]).await, ["a"]);
    // Back and forth within one transaction, and with a delete in between.
    subject.commit(None, vec![label("a", "kind", Some("old")), label("a", "kind", Some("new"))]).await;
    assert_eq!(found(&subject, &[equals("kind", "old")]).await, Vec::<String>::new());
    subject.commit(None, vec![delete("a"), create("a", 1), label("a", "kind", Some("third"))]).await;
    assert_eq!(found(&subject, &[one_of("kind", &["old", "new"])]).await, Vec::<String>::new());
    assert_eq!(found(&subject, &[equals("kind", "third")]).await, ["a"]);
    subject.commit(None, vec![label("a", "kind", Some("fourth")), delete("a")]).await;
    assert_eq!(found(&subject, &[one_of("kind", &["third", "fourth"])]).await, Vec::<String>::new());
}

pub async fn odd_and_long_labels_are_found_exactly(mut subject: Subject) {
    let long = |end: &str| format!("{}{end}", "x".repeat(1_000));
    let (one, other) = (long("1"), long("2"));
    labelled(
        &subject,
        &[("a", &[("k", &one)]), ("b", &[("k", &other)]), ("c", &[("k\0", "v")]), ("d", &[("k", "\0v")])],
    )
    .await;
    labelled(&subject, &[("e", &[(&one, "v")]), ("f", &[(&other, "v")]), ("g", &[("", "")])]).await;
    for again in [false, true] {
        if again && !subject.restart().await {
            return;
        }
        assert_eq!(found(&subject, &[equals("k", &one)]).await, ["a"]);
        assert_eq!(found(&subject, &[equals("k", &other)]).await, ["b"]);
        assert_eq!(found(&subject, &[equals("k\0", "v")]).await, ["c"]);
        assert_eq!(found(&subject, &[equals("k", "\0v")]).await, ["d"]);
        assert_eq!(found(&subject, &[equals(&other, "v")]).await, ["f"]);
        assert_eq!(found(&subject, &[equals("", "")]).await, ["g"]);
    }
}
