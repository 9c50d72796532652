//! Small and large, few and many, and names that want to be something else.

use std::time::Duration;

use bytes::Bytes;

use super::kit::*;
use crate::ids::{EventId, ExecutionId};
use crate::providers::{NewMessage, PageRequest, Queue, TransactionOp};

fn bytes(size: usize) -> Bytes {
    (0..size).map(|at| (at * 31 % 251) as u8).collect::<Vec<_>>().into()
}

pub async fn values_of_every_size_come_back(subject: Subject) {
    for size in [0, 1, 100, 4_000, 4_075, 4_076, 4_077, 4_096, 8_192, 65_537, 2 * 1024 * 1024] {
        let name = format!("size {size}");
        let ops = vec![
            create(&name, 1),
            TransactionOp::AppendHistory {
                instance: id(&name),
                execution_id: ExecutionId(1),
                first: EventId(1),
                events: vec![bytes(size), bytes(1)],
            },
            enqueue(Queue::Turns(id(&name)), vec![NewMessage { data: bytes(size), ..message("m") }]),
            enqueue(Queue::Activities(id(&name)), vec![NewMessage { data: bytes(size), ..work("job") }]),
            TransactionOp::PutMetadata { instance: id(&name), entries: vec![("output".to_owned(), Some(bytes(size)))] },
        ];
        subject.commit(None, ops).await;
        let history = subject.provider.history(&id(&name), ExecutionId(1), EventId(1), 10).await.unwrap();
        assert!(history[0].data == bytes(size) && history[1].data == bytes(1));
        let turn = subject.turn().await;
        assert!(turn.messages[0].data == bytes(size));
        let job = subject.activity().await;
        assert!(job.data == bytes(size));
        let record = subject.provider.instance(&id(&name)).await.unwrap().unwrap();
        assert!(record.metadata["output"] == bytes(size));
        let ops = vec![ack(&name, &["m"]), ack_work(&job.lock_token), release()];
        subject.commit(Some(&turn.lock_token), ops).await;
    }
}

pub async fn a_long_value_can_become_short(subject: Subject) {
    subject
        .commit(
            None,
            vec![
                create("a", 1),
                enqueue(Queue::Activities(id("a")), vec![NewMessage { data: bytes(50_000), ..work("job") }]),
            ],
        )
        .await;
    for size in [100_000, 10, 30_000, 9_000, 0] {
        let job = subject.activity().await;
        let ops = vec![
            TransactionOp::PutMetadata { instance: id("a"), entries: vec![("k".to_owned(), Some(bytes(size)))] },
            TransactionOp::RetryWork { token: job.lock_token, delay: Duration::ZERO, data: bytes(size) },
        ];
        subject.commit(None, ops).await;
        let record = subject.provider.instance(&id("a")).await.unwrap().unwrap();
        assert!(record.metadata["k"] == bytes(size));
    }
    assert!(subject.activity().await.data.is_empty());
}

pub async fn ten_thousand_items_in_one_transaction(subject: Subject) {
    let names: Vec<String> = (0..10_000).map(|n| format!("job {n:05}")).collect();
    let events: Vec<&str> = names.iter().map(String::as_str).collect();
    let jobs = names.iter().map(|name| work(name)).collect();
    let messages = names.iter().map(|name| message(name)).collect();
    let ops = vec![
        create("a", 1),
        append("a", 1, 1, &events),
        enqueue(Queue::Activities(id("a")), jobs),
        enqueue(Queue::Turns(id("a")), messages),
    ];
    subject.commit(None, ops).await;
    assert_eq!(subject.history("a", 1).await, names);
    let turn = subject.turn().await;
    assert_eq!(ids(&turn), names);
    let jobs = subject.activities(20_000).await;
    assert_eq!(jobs.len(), 10_000);
    let mut ops: Vec<_> = jobs.iter().map(|job| ack_work(&job.lock_token)).collect();
    ops.extend([ack("a", &events), release()]);
    subject.commit(Some(&turn.lock_token), ops).await;
    let stats = subject.provider.stats().await.unwrap();
    assert_eq!((stats.turn_messages, stats.activities, stats.activities_leased), (0, 0, 0));
}

pub async fn hostile_ids_do_not_collide(subject: Subject) {
    let names = [
        "a",
        "A",
        "a ",
        " a",
        "a/b",
        "a//b",
        "../../etc/passwd",
        "..",
        ".",
        "%00",
        "a%2Fb",
        "a'b\"c`d",
        "'; DROP TABLE x; --",
        "CON",
        "nul",
        "é",
        "e\u{301}",
        "ﬁ",
        "fi",
        "☃",
        "\u{10ffff}",
        "{\"$gt\":\"\"}",
        "a|b",
        "a-1-2-3",
        "a\u{a0}",
        "ÿ",
        "İ",
        "i",
    ];
    for name in names {
        let ops = vec![
            create(name, 1),
            append(name, 1, 1, &[name]),
            send(name, name),
            schedule(name, name),
            put(name, name, Some(name)),
        ];
        subject.commit(None, ops).await;
    }
    for name in names {
        assert_eq!(subject.history(name, 1).await, [name]);
        let record = subject.provider.instance(&id(name)).await.unwrap().unwrap();
        assert_eq!(text(&record.metadata[name]), name);
        assert_eq!(ids(&subject.turn_of(name).await), [name]);
    }
    assert_eq!(subject.activities(100).await.len(), names.len());
    let mut sorted: Vec<&str> = names.to_vec();
    sorted.sort_unstable();
    assert_eq!(subject.listed(PageRequest { limit: 100, ..PageRequest::default() }).await, sorted);
}

pub async fn the_longest_ids_work(subject: Subject) {
    let (one, two) = ("x".repeat(512), format!("{}y", "x".repeat(511)));
    for name in [&one, &two] {
        subject
            .commit(None, vec![create(name, 1), append(name, 1, 1, &["1"]), send(name, &one), send(name, &two)])
            .await;
    }
    subject.commit(None, vec![delete(&one)]).await;
    assert_eq!(ids(&subject.turn().await), [one, two]);
}
