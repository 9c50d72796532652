//! What a store is given it gives back, byte for byte, whatever it looks like.

use std::time::Duration;

use bytes::Bytes;

use super::kit::*;
use crate::ids::{EventId, ExecutionId};
use crate::providers::{NewMessage, Queue, TransactionOp};

/// The bytes as an event, a message, an activity, a retried activity, a value of the record and a noted one.
async fn come_back(subject: Subject, payloads: Vec<Bytes>) {
    let message_of = |(at, data): (usize, &Bytes)| NewMessage { data: data.clone(), ..work(&at.to_string()) };
    let items = || payloads.iter().enumerate().map(message_of).collect::<Vec<_>>();
    let entries: Vec<_> = payloads.iter().enumerate().map(|(at, data)| (at.to_string(), Some(data.clone()))).collect();
    let events = payloads.clone();
    let ops = vec![
        create("a", 1),
        TransactionOp::AppendHistory { instance: id("a"), execution_id: ExecutionId(1), first: EventId(1), events },
        enqueue(Queue::Turns(id("a")), items()),
        enqueue(Queue::Activities(id("a")), items()),
        TransactionOp::PutKv { instance: id("a"), entries: Clone::clone(&entries) },
        TransactionOp::PutMetadata { instance: id("a"), entries },
    ];
    subject.commit(None, ops).await;
    let events = subject.provider.history(&id("a"), ExecutionId(1), EventId(1), usize::MAX).await.unwrap();
    assert!(events.iter().map(|event| &event.data).eq(&payloads), "events");
    let turn = subject.turn().await;
    assert!(turn.messages.iter().map(|message| &message.data).eq(&payloads), "messages");
    let record = subject.record("a").await;
    for (at, data) in payloads.iter().enumerate() {
        assert!(record.metadata[&at.to_string()] == data, "values");
        assert!(subject.provider.kv(&id("a"), &at.to_string()).await.unwrap().unwrap() == data, "noted values");
    }
    let jobs = subject.activities(1_000).await;
    assert!(jobs.iter().map(|job| &job.data).eq(&payloads), "activities");
    let retries = jobs.iter().zip(payloads.iter().rev()).map(|(job, data)| TransactionOp::RetryWork {
        token: job.lock_token.clone(),
        delay: Duration::ZERO,
        data: data.clone(),
    });
    subject.commit(None, retries.collect()).await;
    let jobs = subject.activities(1_000).await;
    assert!(jobs.iter().map(|job| &job.data).eq(payloads.iter().rev()), "retried activities");
}

pub async fn nothing_comes_back_as_nothing(subject: Subject) {
    come_back(subject, vec![Bytes::new(), Bytes::from_static(b" "), Bytes::new()]).await;
}

pub async fn every_byte_comes_back(subject: Subject) {
    let all: Vec<u8> = (0..=255).collect();
    let each = all.iter().map(|byte| Bytes::copy_from_slice(&[*byte]));
    come_back(subject, each.chain([Bytes::copy_from_slice(&all)]).collect()).await;
}

pub async fn bytes_that_are_no_text_come_back(subject: Subject) {
    let broken: [&'static [u8]; 6] =
        [b"\xff\xfe", b"\xc3\x28", b"\xed\xa0\x80", b"\xf0\x28\x8c\xbc", b"\x80abc", b"abc\xe2\x98"];
    come_back(subject, broken.into_iter().map(Bytes::from_static).collect()).await;
}

pub async fn zeros_come_back(subject: Subject) {
    come_back(subject, [1, 4, 5_000, 100_000].map(|size| Bytes::from(vec![0; size])).into()).await;
}

pub async fn deep_documents_come_back(subject: Subject) {
    let deep = |open: &str, close: &str, depth| Bytes::from(format!("{}1{}", open.repeat(depth), close.repeat(depth)));
    come_back(subject, vec![deep("[", "]", 100_000), deep("{\"a\":", "}", 20_000), deep("(", "", 64)]).await;
}

pub async fn documents_are_not_rewritten(subject: Subject) {
    let texts =
        ["{ \"b\" : 1, \"a\" : 1 , \"b\":2}", "1.0", "1e400", "\"\\u0041\"", "{\"a\":1}\n\n", "nul", "\u{feff}{}"];
    come_back(subject, texts.into_iter().map(|text| Bytes::from_static(text.as_bytes())).collect()).await;
}

pub async fn two_mebibytes_come_back_everywhere(subject: Subject) {
    let large: Vec<u8> = (0..2 * 1024 * 1024).map(|at: u32| (at.wrapping_mul(2_654_435_761) >> 24) as u8).collect();
    come_back(subject, vec![Bytes::from(large), Bytes::from_static(b"small")]).await;
}

pub async fn many_sizes_in_one_transaction_keep_their_places(subject: Subject) {
    let sizes = [0, 70_000, 1, 4_096, 0, 16_384, 16_385, 3, 40_000, 2];
    come_back(subject, sizes.iter().enumerate().map(|(at, size)| Bytes::from(vec![at as u8; *size])).collect()).await;
}
