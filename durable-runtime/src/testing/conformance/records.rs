//! Records of instances: metadata, labels, revisions, pages.

use super::kit::*;
use crate::providers::{CommitError, PageRequest, Stats};

pub async fn metadata_is_set_and_taken_away(subject: Subject) {
    subject.commit(None, vec![create("a", 1), put("a", "status", Some("new")), put("a", "", Some(""))]).await;
    subject.commit(None, vec![put("a", "status", Some("done")), put("a", "output", Some("42"))]).await;
    subject.commit(None, vec![put("a", "output", None), put("a", "unknown", None)]).await;
    let record = subject.provider.instance(&id("a")).await.unwrap().unwrap();
    let metadata: Vec<_> = record.metadata.iter().map(|(key, value)| (key.as_str(), text(value))).collect();
    assert_eq!(metadata, [("", String::new()), ("status", "done".to_owned())]);
}

pub async fn the_revision_counts_transactions_that_change_the_record(subject: Subject) {
    assert_eq!(subject.revision("a").await, 0);
    subject.commit(None, vec![create("a", 1), put("a", "k", Some("v")), label("a", "l", Some("m"))]).await;
    assert_eq!(subject.revision("a").await, 1);
    subject.commit(None, vec![append("a", 1, 1, &["1"]), send("a", "m"), schedule("a", "job")]).await;
    assert_eq!(subject.revision("a").await, 1);
    let mut last = 1;
    for op in [put("a", "k", Some("w")), label("a", "l", None), create("a", 2)] {
        subject.commit(None, vec![op]).await;
        let revision = subject.revision("a").await;
        assert!(revision > last);
        last = revision;
    }
}

pub async fn labels_filter_the_list(subject: Subject) {
    for (name, kind, place) in [("a", "order", "x"), ("b", "order", "y"), ("c", "bill", "x")] {
        let ops = vec![create(name, 1), label(name, "kind", Some(kind)), label(name, "place", Some(place))];
        subject.commit(None, ops).await;
    }
    let with = |labels: &[(&str, &str)]| PageRequest {
        labels: labels.iter().map(|(name, value)| ((*name).to_owned(), (*value).to_owned())).collect(),
        limit: 10,
        ..PageRequest::default()
    };
    assert_eq!(subject.listed(with(&[("kind", "order")])).await, ["a", "b"]);
    assert_eq!(subject.listed(with(&[("kind", "order"), ("place", "x")])).await, ["a"]);
    assert_eq!(subject.listed(with(&[("kind", "no")])).await, [""; 0]);
    subject.commit(None, vec![label("a", "kind", None), label("b", "kind", Some("bill"))]).await;
    assert_eq!(subject.listed(with(&[("kind", "bill")])).await, ["b", "c"]);
    assert_eq!(subject.listed(with(&[])).await, ["a", "b", "c"]);
}

pub async fn pages_follow_each_other(subject: Subject) {
    let names: Vec<String> = (0..25).map(|n| format!("i{n:02}")).collect();
    for (at, name) in names.iter().enumerate() {
        let third = if at % 3 == 0 { "yes" } else { "no" };
        subject.commit(None, vec![create(name, 1), label(name, "third", Some(third))]).await;
    }
    for (labels, want) in [
        (vec![], names.clone()),
        (vec![("third".to_owned(), "yes".to_owned())], names.iter().step_by(3).cloned().collect()),
    ] {
        for limit in [1, 7, 9, 25, 100] {
            let mut got = Vec::new();
            let mut after = None;
            loop {
                let page = PageRequest { labels: labels.clone(), after, limit, ..PageRequest::default() };
                let page = subject.provider.instances(page).await.unwrap();
                assert!(page.instances.len() <= limit);
                got.extend(page.instances.into_iter().map(|record| record.instance.to_string()));
                after = page.next;
                if after.is_none() {
                    break;
                }
            }
            assert_eq!(got, want, "limit {limit}");
        }
    }
}

pub async fn a_record_of_nothing_cannot_be_changed(subject: Subject) {
    for op in [put("a", "k", Some("v")), label("a", "l", None)] {
        let result = subject.try_commit(None, vec![op]).await;
        assert!(matches!(result, Err(CommitError::NoInstance(instance)) if instance == id("a")));
    }
}

pub async fn the_numbers_are_right(subject: Subject) {
    assert_eq!(subject.provider.stats().await.unwrap(), Stats::default());
    subject.start("a").await;
    subject.start("b").await;
    subject
        .commit(None, vec![send_at("b", "timer", subject.in_time(99)), schedule("a", "1"), schedule("a", "2")])
        .await;
    let (_turn, _job) = (subject.turn_of("a").await, subject.activities(1).await);
    let stats = subject.provider.stats().await.unwrap();
    assert_eq!((stats.instances, stats.turn_messages, stats.activities), (2, 3, 2));
    assert_eq!((stats.turns_leased, stats.activities_leased), (1, 1));
    subject.clock.advance(TTL);
    let stats = subject.provider.stats().await.unwrap();
    assert_eq!((stats.turns_leased, stats.activities_leased), (0, 0));
}
