//! Whose activity is next, where instances take turns.

use std::time::Duration;

use super::kit::*;
use crate::clock::Clock as _;
use crate::providers::{NewMessage, Queue, TransactionOp};

/// Puts these activities of an instance into the queue, in this order.
async fn put(subject: &Subject, instance: &str, names: impl IntoIterator<Item = String>) {
    let items = names.into_iter().map(|name| work(&name)).collect();
    subject.commit(None, vec![enqueue(Queue::Activities(id(instance)), items)]).await;
}

fn numbered(of: &str, count: usize) -> impl Iterator<Item = String> {
    (0..count).map(move |n| format!("{of}{n}"))
}

/// Takes so many, one after another.
async fn one_by_one(subject: &Subject, count: usize) -> Vec<String> {
    let mut names = Vec::new();
    for _ in 0..count {
        let jobs = subject.provider.fetch_activities(any_activity(1)).await.unwrap();
        names.extend(jobs.into_iter().map(|job| job.id.to_string()));
    }
    names
}

pub async fn instances_take_turns_each_in_its_own_order(subject: Subject) {
    if !subject.takes_turns() {
        return;
    }
    for of in ["a", "b", "c"] {
        put(&subject, of, numbered(of, 3)).await;
    }
    assert_eq!(one_by_one(&subject, 10).await, ["a0", "b0", "c0", "a1", "b1", "c1", "a2", "b2", "c2"]);
}

pub async fn who_comes_later_waits_for_one_turn_of_each_at_most(subject: Subject) {
    if !subject.takes_turns() {
        return;
    }
    put(&subject, "huge", numbered("huge", 10_000)).await;
    assert_eq!(one_by_one(&subject, 3).await, ["huge0", "huge1", "huge2"]);
    put(&subject, "small", ["small".to_owned()]).await;
    put(&subject, "other", ["other".to_owned()]).await;
    assert_eq!(one_by_one(&subject, 4).await, ["huge3", "small", "other", "huge4"]);
}

pub async fn who_had_a_turn_waits_for_those_who_had_none(subject: Subject) {
    if !subject.takes_turns() {
        return;
    }
    put(&subject, "a", numbered("a", 4)).await;
    put(&subject, "b", numbered("b", 2)).await;
    assert_eq!(one_by_one(&subject, 3).await, ["a0", "b0", "a1"]);
    // It comes anew with each of its own, and gets no more than its turns by that.
    put(&subject, "c", ["c0".to_owned()]).await;
    assert_eq!(one_by_one(&subject, 2).await, ["b1", "a2"]);
    put(&subject, "d", ["d0".to_owned()]).await;
    assert_eq!(one_by_one(&subject, 3).await, ["c0", "a3", "d0"]);
}

pub async fn what_is_given_back_counts_from_then(subject: Subject) {
    if !subject.takes_turns() {
        return;
    }
    put(&subject, "a", numbered("a", 1)).await;
    put(&subject, "b", numbered("b", 3)).await;
    let a = subject.provider.fetch_activities(any_activity(1)).await.unwrap().remove(0);
    assert_eq!(one_by_one(&subject, 1).await, ["b0"]);
    let back = TransactionOp::ReleaseWork { token: a.lock_token, delay: None, give_back_attempt: true };
    subject.commit(None, vec![back]).await;
    assert_eq!(one_by_one(&subject, 3).await, ["a0", "b1", "b2"]);
}

pub async fn what_was_not_visible_takes_its_turn_when_it_is(subject: Subject) {
    if !subject.takes_turns() {
        return;
    }
    let later = subject.clock.now().saturating_add(Duration::from_secs(10));
    let item = NewMessage { visible_at: Some(later), ..work("later") };
    subject.commit(None, vec![enqueue(Queue::Activities(id("patient")), vec![item])]).await;
    put(&subject, "huge", numbered("huge", 100)).await;
    assert_eq!(one_by_one(&subject, 2).await, ["huge0", "huge1"]);
    subject.clock.advance(Duration::from_secs(10));
    assert_eq!(one_by_one(&subject, 2).await, ["later", "huge2"]);
}

pub async fn a_fetch_of_many_takes_turns_too(subject: Subject) {
    if !subject.takes_turns() {
        return;
    }
    put(&subject, "huge", numbered("huge", 1_000)).await;
    for of in ["a", "b", "c"] {
        put(&subject, of, numbered(of, 1)).await;
    }
    let jobs = subject.provider.fetch_activities(any_activity(6)).await.unwrap();
    let names: Vec<_> = jobs.into_iter().map(|job| job.id.to_string()).collect();
    assert_eq!(names, ["huge0", "a0", "b0", "c0", "huge1", "huge2"]);
}
