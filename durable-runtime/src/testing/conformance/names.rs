//! Names that want to be something else: kept apart, given back as they came, and found again.

use bytes::Bytes;

use super::kit::*;
use crate::ids::{InstanceId, MessageId};
use crate::providers::{ActivityRequest, KvPageRequest, NewMessage, PageRequest, Queue, TransactionOp};

/// Each name is an instance of its own, with everything that hangs on it; half of them are deleted, and the others stay.
async fn are_apart(subject: Subject, names: &[&str]) {
    for name in names {
        let ops = vec![
            create(name, 1),
            append(name, 1, 1, &[name]),
            enqueue(Queue::Turns(id(name)), vec![NewMessage { id: message_id(name), ..message("x") }]),
            schedule(name, name),
            put(name, name, Some(name)),
            label(name, name, Some(name)),
        ];
        subject.commit(None, ops).await;
    }
    let (gone, left): (Vec<_>, Vec<_>) = names.iter().enumerate().partition(|(at, _)| at % 2 == 1);
    subject.commit(None, gone.iter().map(|(_, name)| delete(name)).collect()).await;
    for (_, name) in &gone {
        assert!(!subject.exists(name).await, "{name:?}");
        assert!(subject.history(name, 1).await.is_empty(), "{name:?}");
    }
    for (_, name) in &left {
        assert_eq!(subject.history(name, 1).await, [**name]);
        let record = subject.record(name).await;
        assert_eq!((record.instance.as_str(), text(&record.metadata[**name]).as_str()), (**name, **name));
        let labels = vec![((**name).to_owned(), (**name).to_owned())];
        assert_eq!(
            subject.listed(PageRequest { labels, after: None, limit: 10, ..PageRequest::default() }).await,
            [**name]
        );
        assert_eq!(ids(&subject.turn_of(name).await), [**name]);
    }
    let mut jobs: Vec<_> = subject.activities(1_000).await.into_iter().map(|job| job.id.to_string()).collect();
    let mut want: Vec<_> = left.iter().map(|(_, name)| (**name).to_owned()).collect();
    jobs.sort();
    want.sort();
    assert_eq!(jobs, want);
}

pub async fn quotes_are_letters(subject: Subject) {
    are_apart(subject, &["'", "''", "\"", "\"\"", "`", "a'b", "a''b", "a\"b", "\\'", "\\", "\\\\", "$1", "?1", ":a"])
        .await;
}

pub async fn fragments_of_queries_are_text(subject: Subject) {
    let names = ["'; DROP TABLE instances; --", "' OR '1'='1", "1; DELETE FROM x", "*/", "/*", "--", "{\"$gt\":\"\"}"];
    are_apart(subject, &names).await;
}

pub async fn fragments_of_filters_are_text(subject: Subject) {
    are_apart(subject, &["PartitionKey eq 'x'", "a or true", "%", "_", "a%", "a_", "[a-z]", ".*", "^$", "*", "a*"])
        .await;
}

pub async fn slashes_lead_nowhere(subject: Subject) {
    are_apart(subject, &["/", "//", "a/b", "a//b", "/a", "a/", "a\\b", "\\\\server\\share", "C:\\x", "a/b/c"]).await;
}

pub async fn dots_lead_nowhere(subject: Subject) {
    are_apart(subject, &[".", "..", "...", "../..", "../../etc/passwd", "./a", "a/..", "a/../a", "a.", ".a", "a..b"])
        .await;
}

pub async fn names_of_devices_are_names(subject: Subject) {
    are_apart(subject, &["CON", "con", "NUL", "nul.txt", "COM1", "LPT9", "AUX", "PRN", "CLOCK$", "aux.c", "CON "])
        .await;
}

pub async fn upper_and_lower_case_are_two(subject: Subject) {
    are_apart(subject, &["order", "Order", "ORDER", "oRDER", "ß", "ẞ", "ss", "İ", "i", "ı", "I", "Σ", "σ", "ς"]).await;
}

pub async fn forms_of_one_letter_are_several(subject: Subject) {
    let names = [
        "é",
        "e\u{301}",
        "Å",
        "A\u{30a}",
        "\u{212b}",
        "ﬁ",
        "fi",
        "ﬀ",
        "ff",
        "①",
        "1",
        "２",
        "2",
        "가",
        "\u{1100}\u{1161}",
    ];
    are_apart(subject, &names).await;
}

pub async fn what_cannot_be_seen_counts(subject: Subject) {
    let names =
        ["a", "a ", " a", "a  ", "a\u{a0}", "a\u{200b}", "a\u{feff}", "\u{202e}a", "a\u{2028}", " ", "  ", "\u{3000}"];
    are_apart(subject, &names).await;
}

pub async fn letters_from_everywhere_come_back(subject: Subject) {
    are_apart(subject, &["☃", "日本語", "مرحبا", "🦀", "👩‍👩‍👧", "\u{10ffff}", "\u{e000}", "Ωμέγα", "ÿ", "naïve"]).await;
}

pub async fn encoded_names_are_not_decoded(subject: Subject) {
    are_apart(
        subject,
        &["%00", "%2e%2e%2f", "%2F", "a%2Fb", "&amp;", "&#x41;", "\\u0041", "=?utf-8?q?a?=", "+", "%20"],
    )
    .await;
}

pub async fn a_name_that_begins_another_is_not_the_other(subject: Subject) {
    are_apart(
        subject,
        &["a", "aa", "aaa", "a-1", "a-1-1", "a/1", "a:1", "a|b", "a|", "|", "a-1-2-3", "a\u{1f600}", "a~"],
    )
    .await;
}

pub async fn numbers_are_text(subject: Subject) {
    are_apart(
        subject,
        &["0", "00", "-0", "1", "01", "1.0", "1e0", "0x1", "NaN", "null", "true", "9".repeat(40).as_str()],
    )
    .await;
}

pub async fn the_longest_names_differ_in_their_last_letter(subject: Subject) {
    let long = |end: &str| format!("{}{end}", "x".repeat(512 - end.len()));
    let wide = |end: &str| format!("{}{end}", "☃".repeat(170));
    let names = [long("a"), long("b"), long("aa"), long(" "), long("é"), wide("a"), wide("b"), "x".repeat(511)];
    are_apart(subject, &names.iter().map(String::as_str).collect::<Vec<_>>()).await;
}

pub async fn control_characters_never_reach_a_store(_: Subject) {
    for bad in ["\0", "a\0", "a\nb", "\r", "\u{7f}", "\u{85}", "\u{1b}[31m", ""] {
        assert!(InstanceId::new(bad).is_err() && MessageId::new(bad).is_err(), "{bad:?}");
    }
    assert!(InstanceId::new("x".repeat(513)).is_err());
}

/// Keys, labels, topics and tags are not ids: nothing is forbidden in them.
const ANYTHING: [&str; 8] = ["\0", "a\0", "a\0b", "\n", "\u{1b}[31m", "\u{7f}", "'\0'", "\u{85}"];

pub async fn keys_of_values_may_hold_anything(subject: Subject) {
    subject.commit(None, vec![create("a", 1)]).await;
    for key in ANYTHING {
        subject.commit(None, vec![put("a", key, Some(key))]).await;
    }
    let record = subject.record("a").await;
    assert_eq!(record.metadata.len(), ANYTHING.len());
    assert!(record.metadata.iter().all(|(key, value)| text(value) == *key));
}

pub async fn labels_may_hold_anything(subject: Subject) {
    for (at, name) in ANYTHING.iter().enumerate() {
        let instance = format!("i{at}");
        subject.commit(None, vec![create(&instance, 1), label(&instance, name, Some(name))]).await;
    }
    for (at, name) in ANYTHING.iter().enumerate() {
        let labels = vec![((*name).to_owned(), (*name).to_owned())];
        assert_eq!(
            subject.listed(PageRequest { labels, after: None, limit: 10, ..PageRequest::default() }).await,
            [format!("i{at}")]
        );
    }
}

pub async fn topics_and_tags_may_hold_anything(subject: Subject) {
    let items = ANYTHING.iter().enumerate().map(|(at, name)| NewMessage {
        topic: (*name).to_owned(),
        tag: Some((*name).to_owned()),
        ..message(&at.to_string())
    });
    subject.commit(None, vec![enqueue(Queue::Activities(id("a")), items.collect())]).await;
    for (at, name) in ANYTHING.iter().enumerate() {
        let one = [(*name).to_owned()];
        let want = ActivityRequest { topics: one.clone().into(), tags: one.into(), ..any_activity(10) };
        assert_eq!(only(subject.provider.fetch_activities(want).await.unwrap()).id.as_str(), at.to_string());
    }
}

pub async fn long_keys_and_labels_come_back(subject: Subject) {
    let long = "k".repeat(5_000);
    let entries = vec![(long.clone(), Some(Bytes::from_static(b"v")))];
    let ops =
        vec![create("a", 1), TransactionOp::PutMetadata { instance: id("a"), entries }, label("a", &long, Some(&long))];
    subject.commit(None, ops).await;
    let record = subject.record("a").await;
    assert_eq!((text(&record.metadata[&long]).as_str(), &record.labels[&long]), ("v", &long));
    let labels = vec![(long.clone(), long)];
    assert_eq!(subject.listed(PageRequest { labels, after: None, limit: 10, ..PageRequest::default() }).await, ["a"]);
}

pub async fn keys_of_noted_values_may_hold_anything(subject: Subject) {
    subject.commit(None, vec![create("a", 1)]).await;
    for key in ANYTHING.into_iter().chain(["../..", "k", "K", "'; --", "é", "e\u{301}", "%", "_"]) {
        subject.commit(None, vec![note("a", key, Some(key))]).await;
    }
    let page = KvPageRequest { limit: 100, ..KvPageRequest::default() };
    let entries = subject.provider.kv_page(&id("a"), page).await.unwrap().entries;
    assert_eq!(entries.len(), ANYTHING.len() + 8);
    assert!(entries.iter().all(|(key, value)| text(value) == *key));
    assert!(entries.windows(2).all(|pair| pair[0].0 < pair[1].0), "ordered by bytes");
    // A sign that means anything to a query means itself.
    let page = KvPageRequest { prefix: "%".to_owned(), limit: 100, ..KvPageRequest::default() };
    assert_eq!(subject.provider.kv_page(&id("a"), page).await.unwrap().entries.len(), 1);
}
