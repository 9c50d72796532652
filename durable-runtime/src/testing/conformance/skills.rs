//! Who may take a turn: what an instance needs, and what a worker can do.

use std::sync::Arc;
use std::time::Duration;

use futures_util::FutureExt as _;

use super::kit::*;
use crate::providers::{LeasedTurn, NewMessage, Queue, Skills, TransactionOp, TurnRequest};

fn skills(values: &[&str]) -> Arc<Skills> {
    Arc::new(Skills::new("needs", values.iter().copied()))
}

fn can(values: &[&str]) -> TurnRequest {
    TurnRequest { skills: Some(skills(values)), ..any_turn(10) }
}

/// A message that says itself what it needs.
fn ask(instance: &str, text: &str, topic: &str) -> TransactionOp {
    enqueue(Queue::Turns(id(instance)), vec![NewMessage { topic: topic.to_owned(), ..message(text) }])
}

async fn start(subject: &Subject, instance: &str, needs: &str) {
    let ops = vec![create(instance, 1), label(instance, "needs", Some(needs)), send(instance, "m")];
    subject.commit(None, ops).await;
}

async fn fetch(subject: &Subject, values: &[&str]) -> Vec<LeasedTurn> {
    subject.provider.fetch_turns(can(values)).await.unwrap()
}

async fn taken(subject: &Subject, values: &[&str]) -> Vec<String> {
    fetch(subject, values).await.iter().map(|turn| turn.instance.to_string()).collect()
}

async fn passed_over(subject: &Subject, values: &[&str], limit: usize) -> Vec<(String, u64)> {
    let found = subject.provider.passed_over(&skills(values), limit).await.unwrap();
    found.into_iter().map(|found| (found.instance.to_string(), found.waited.as_secs())).collect()
}

pub async fn what_a_worker_cannot_do_is_neither_leased_nor_counted(subject: Subject) {
    start(&subject, "bread", "bake").await;
    start(&subject, "pipe", "weld").await;
    start(&subject, "any", "").await;
    subject.commit(None, vec![label("any", "needs", None)]).await;
    assert_eq!(taken(&subject, &["weld"]).await, ["pipe", "any"]);
    assert_eq!(subject.stats().await.turns_leased, 2);
    assert_eq!(taken(&subject, &["weld"]).await, Vec::<String>::new());
    let bread = only(fetch(&subject, &["bake", "knead"]).await);
    assert_eq!((bread.instance, bread.attempt), (id("bread"), 1));
}

pub async fn a_worker_that_can_do_it_gets_it_at_once(subject: Subject) {
    start(&subject, "bread", "bake").await;
    let patient = |values: &[&str]| subject.provider.fetch_turns(TurnRequest { wait: LONG, ..can(values) });
    let mut welder = patient(&["weld"]);
    assert!(welder.as_mut().now_or_never().is_none());
    assert_eq!(only(patient(&["bake"]).await.unwrap()).instance, id("bread"));
    let pipe = start(&subject, "pipe", "weld");
    let (welded, ()) = futures_util::future::join(welder, pipe).await;
    assert_eq!(only(welded.unwrap()).instance, id("pipe"));
}

pub async fn many_that_nobody_can_do_hold_up_nothing(subject: Subject) {
    let many: Vec<String> = (0..600).map(|number| format!("i{number:03}")).collect();
    let ops = many.iter().flat_map(|one| [create(one, 1), label(one, "needs", Some("weld")), send(one, "m")]);
    subject.commit(None, ops.collect()).await;
    subject.clock.advance(Duration::from_secs(1));
    start(&subject, "bread", "bake").await;
    let want = TurnRequest { max: 1, ..can(&["bake"]) };
    assert_eq!(only(subject.provider.fetch_turns(want).await.unwrap()).instance, id("bread"));
    assert_eq!(passed_over(&subject, &["bake"], 1_000).await.len(), 600);
    assert_eq!(passed_over(&subject, &["bake"], 2).await, [("i000".to_owned(), 1), ("i001".to_owned(), 1)]);
}

pub async fn one_that_does_not_exist_needs_what_its_messages_say(subject: Subject) {
    subject.commit(None, vec![ask("bread", "start", "bake"), send("bread", "event")]).await;
    subject.commit(None, vec![send("unknown", "event")]).await;
    assert_eq!(taken(&subject, &["weld"]).await, ["unknown"]);
    assert_eq!(ids(&only(fetch(&subject, &["bake"]).await)), ["start", "event"]);
}

pub async fn a_message_that_a_worker_can_do_is_enough(subject: Subject) {
    start(&subject, "bread", "bake").await;
    assert_eq!(taken(&subject, &["stop"]).await, Vec::<String>::new());
    subject.commit(None, vec![ask("bread", "end it", "stop")]).await;
    let turn = only(fetch(&subject, &["stop"]).await);
    assert_eq!(ids(&turn), ["m", "end it"]);
    subject.commit(Some(&turn.lock_token), vec![ack("bread", &["end it"]), release()]).await;
    assert_eq!(taken(&subject, &["stop"]).await, Vec::<String>::new());
    assert_eq!(taken(&subject, &["bake"]).await, ["bread"]);
}

pub async fn a_message_to_come_says_nothing_yet(subject: Subject) {
    start(&subject, "bread", "bake").await;
    let later = NewMessage { topic: "stop".to_owned(), visible_at: Some(subject.in_time(5)), ..message("end it") };
    subject.commit(None, vec![enqueue(Queue::Turns(id("bread")), vec![later])]).await;
    assert_eq!(taken(&subject, &["stop"]).await, Vec::<String>::new());
    subject.clock.advance(Duration::from_secs(5));
    assert_eq!(taken(&subject, &["stop"]).await, ["bread"]);
}

pub async fn what_is_needed_may_change(subject: Subject) {
    start(&subject, "a", "bake").await;
    assert_eq!(taken(&subject, &["weld"]).await, Vec::<String>::new());
    subject.commit(None, vec![label("a", "needs", Some("weld"))]).await;
    assert_eq!(taken(&subject, &["bake"]).await, Vec::<String>::new());
    let turn = only(fetch(&subject, &["weld"]).await);
    subject.commit(Some(&turn.lock_token), vec![label("a", "needs", None), release()]).await;
    assert_eq!(taken(&subject, &[]).await, ["a"]);
}

pub async fn who_asks_for_one_instance_gets_it_whatever_it_needs(subject: Subject) {
    start(&subject, "bread", "bake").await;
    let want = TurnRequest { instance: Some(id("bread")), ..can(&["weld"]) };
    assert_eq!(only(subject.provider.fetch_turns(want).await.unwrap()).instance, id("bread"));
}

pub async fn what_is_passed_over_is_listed_and_what_is_not_is_not(subject: Subject) {
    start(&subject, "bread", "bake").await;
    start(&subject, "leased", "bake").await;
    start(&subject, "pipe", "weld").await;
    subject.commit(None, vec![create("idle", 1), label("idle", "needs", Some("bake"))]).await;
    subject.commit(None, vec![send("unknown", "m"), ask("asked", "m", "bake")]).await;
    subject.turn_of("leased").await;
    subject.clock.advance(Duration::from_secs(7));
    assert_eq!(passed_over(&subject, &["weld"], 10).await, [("bread".to_owned(), 7), ("asked".to_owned(), 7)]);
    assert_eq!(passed_over(&subject, &["weld"], 0).await, []);
    assert_eq!(passed_over(&subject, &["weld", "bake"], 10).await, []);
    assert_eq!(taken(&subject, &["bake"]).await, ["bread", "unknown", "asked"]);
    assert_eq!(passed_over(&subject, &["weld"], 10).await, []);
}

pub async fn what_was_deleted_needs_nothing_when_it_comes_again(subject: Subject) {
    start(&subject, "a", "bake").await;
    assert_eq!(taken(&subject, &["weld"]).await, Vec::<String>::new());
    subject.commit(None, vec![delete("a"), send("a", "again")]).await;
    assert_eq!(taken(&subject, &["weld"]).await, ["a"]);
}

pub async fn what_is_needed_is_known_after_a_restart(mut subject: Subject) {
    start(&subject, "bread", "bake").await;
    subject.commit(None, vec![ask("asked", "m", "weld")]).await;
    if subject.restart().await {
        assert_eq!(taken(&subject, &["stop"]).await, Vec::<String>::new());
        assert_eq!(taken(&subject, &["weld"]).await, ["asked"]);
        assert_eq!(taken(&subject, &["bake"]).await, ["bread"]);
    }
}

pub async fn what_a_worker_leaves_alone_is_there_for_others(subject: Subject) {
    start(&subject, "a", "bake").await;
    start(&subject, "b", "bake").await;
    subject.commit(None, vec![ask("c", "m", "bake")]).await;
    let but = |values: &[&str], unless: &str| {
        let skills = Skills::clone(&skills(values)).leaving_alone([id("a"), id("c")], unless);
        TurnRequest { skills: Some(Arc::new(skills)), ..any_turn(10) }
    };
    let taken_but = async |values: &[&str], unless: &str| {
        let turns = subject.provider.fetch_turns(but(values, unless)).await.unwrap();
        turns.iter().map(|turn| turn.instance.to_string()).collect::<Vec<_>>()
    };
    assert_eq!(taken_but(&["bake"], "stop").await, ["b"]);
    subject.commit(None, vec![ask("a", "end it", "stop")]).await;
    assert_eq!(taken_but(&["bake"], "stop").await, ["a"]);
    assert_eq!(taken_but(&["bake", "stop"], "other").await, Vec::<String>::new());
    let want = TurnRequest { instance: Some(id("c")), ..but(&["weld"], "stop") };
    assert_eq!(only(subject.provider.fetch_turns(want).await.unwrap()).instance, id("c"));
    subject.clock.advance(TTL);
    assert_eq!(taken(&subject, &["bake"]).await, ["a", "b", "c"]);
}
