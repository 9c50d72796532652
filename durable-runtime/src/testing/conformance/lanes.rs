//! Which worker gets which activity, and in which order.

use std::time::Duration;

use super::kit::*;
use crate::ids::ExecutionId;
use crate::providers::{ActivityRequest, NewMessage, Queue};

fn wish(topics: &[&str], tags: &[&str]) -> ActivityRequest {
    let list = |texts: &[&str]| texts.iter().map(|text| (*text).to_owned()).collect();
    ActivityRequest { topics: list(topics), tags: list(tags), ..any_activity(100) }
}

async fn got(subject: &Subject, want: ActivityRequest) -> Vec<String> {
    let jobs = subject.provider.fetch_activities(want).await.unwrap();
    jobs.into_iter().map(|job| job.id.to_string()).collect()
}

fn of(topic: &str, tag: Option<&str>, text: &str) -> NewMessage {
    NewMessage { topic: topic.to_owned(), tag: tag.map(str::to_owned), ..message(text) }
}

async fn put_all(subject: &Subject, items: Vec<NewMessage>) {
    subject.commit(None, vec![enqueue(Queue::Activities(id("a")), items)]).await;
}

pub async fn a_worker_without_topics_gets_nothing(subject: Subject) {
    put_all(&subject, vec![of("work", None, "1"), of("", None, "2")]).await;
    assert!(got(&subject, wish(&[], &[])).await.is_empty());
    assert_eq!(got(&subject, wish(&["work", ""], &[])).await, ["1", "2"]);
}

pub async fn several_topics_come_in_one_order(subject: Subject) {
    put_all(&subject, vec![of("b", None, "1"), of("a", None, "2"), of("c", None, "3"), of("b", None, "4")]).await;
    assert_eq!(got(&subject, wish(&["a", "b", "c"], &[])).await, ["1", "2", "3", "4"]);
}

pub async fn topics_are_compared_whole(subject: Subject) {
    put_all(
        &subject,
        vec![of("work", None, "1"), of("workshop", None, "2"), of("Work", None, "3"), of("wor", None, "4")],
    )
    .await;
    assert_eq!(got(&subject, wish(&["work"], &[])).await, ["1"]);
    assert_eq!(got(&subject, wish(&["workshop", "wor"], &[])).await, ["2", "4"]);
}

pub async fn tags_are_compared_whole(subject: Subject) {
    put_all(&subject, vec![of("t", Some("gpu"), "1"), of("t", Some("gpu2"), "2"), of("t", Some("GPU"), "3")]).await;
    assert!(got(&subject, wish(&["t"], &["gp", ""])).await.is_empty());
    assert_eq!(got(&subject, wish(&["t"], &["gpu"])).await, ["1"]);
    assert_eq!(got(&subject, wish(&["t"], &["gpu2", "GPU"])).await, ["2", "3"]);
}

pub async fn an_empty_tag_is_a_tag(subject: Subject) {
    put_all(&subject, vec![of("t", Some(""), "1"), of("t", None, "2")]).await;
    assert_eq!(got(&subject, wish(&["t"], &[])).await, ["2"]);
    assert_eq!(got(&subject, wish(&["t"], &[""])).await, ["1"]);
}

pub async fn a_tag_is_not_a_topic(subject: Subject) {
    put_all(&subject, vec![of("x", Some("y"), "1"), of("y", Some("x"), "2")]).await;
    assert!(got(&subject, wish(&["x"], &["x"])).await.is_empty());
    assert_eq!(got(&subject, wish(&["x"], &["y"])).await, ["1"]);
}

pub async fn many_tags_and_none_come_in_one_order(subject: Subject) {
    let items = vec![of("t", Some("b"), "1"), of("t", None, "2"), of("t", Some("a"), "3"), of("t", Some("c"), "4")];
    put_all(&subject, items).await;
    assert_eq!(got(&subject, wish(&["t"], &["a", "b"])).await, ["1", "2", "3"]);
    assert_eq!(got(&subject, wish(&["t"], &["c"])).await, ["4"]);
}

pub async fn what_is_passed_over_is_not_counted(subject: Subject) {
    put_all(&subject, vec![of("rare", None, "1")]).await;
    for _ in 0..5 {
        assert!(got(&subject, wish(&["work"], &[])).await.is_empty());
    }
    let job = subject.provider.fetch_activities(wish(&["rare"], &[])).await.unwrap().remove(0);
    assert_eq!(job.attempt, 1);
}

pub async fn what_is_passed_over_does_not_stand_in_the_way(subject: Subject) {
    let mut items: Vec<_> = (0..500).map(|n| of("rare", None, &format!("rare {n}"))).collect();
    items.push(of("work", None, "last"));
    put_all(&subject, items).await;
    assert_eq!(got(&subject, ActivityRequest { max: 1, ..wish(&["work"], &[]) }).await, ["last"]);
}

pub async fn no_more_activities_than_asked_for(subject: Subject) {
    put_all(&subject, (0..5).map(|n| work(&n.to_string())).collect()).await;
    assert!(subject.activities(0).await.is_empty());
    assert_eq!(subject.activities(2).await.len(), 2);
    assert_eq!(subject.activities(2).await.len(), 2);
    assert_eq!(subject.activities(2).await.len(), 1);
}

pub async fn delayed_activities_come_in_the_order_of_their_times(subject: Subject) {
    let at = |seconds, text| NewMessage { visible_at: Some(subject.in_time(seconds)), ..work(text) };
    put_all(&subject, vec![at(30, "3"), at(10, "1"), at(20, "2"), at(10, "1, but later")]).await;
    subject.clock.advance(Duration::from_secs(30));
    assert_eq!(got(&subject, wish(&["work"], &[])).await, ["1", "1, but later", "2", "3"]);
}

pub async fn an_activity_due_in_the_past_is_there_at_once_and_first(subject: Subject) {
    let past = NewMessage { visible_at: Some(crate::clock::Timestamp::EPOCH), ..work("overdue") };
    put_all(&subject, vec![work("now"), past]).await;
    assert_eq!(got(&subject, wish(&["work"], &[])).await, ["overdue", "now"]);
}

pub async fn an_expired_activity_keeps_its_place(subject: Subject) {
    put_all(&subject, vec![work("1"), work("2")]).await;
    let _first = subject.activities(1).await;
    put_all(&subject, vec![work("3")]).await;
    subject.clock.advance(TTL);
    assert_eq!(got(&subject, wish(&["work"], &[])).await, ["1", "2", "3"]);
}

pub async fn a_retried_activity_goes_behind_those_that_wait(subject: Subject) {
    put_all(&subject, vec![work("1"), work("2")]).await;
    let first = subject.activities(1).await.remove(0);
    subject.commit(None, vec![retry(&first.lock_token, Duration::ZERO, "again")]).await;
    assert_eq!(got(&subject, wish(&["work"], &[])).await, ["2", "1"]);
}

pub async fn a_retried_activity_keeps_its_topic_and_tag(subject: Subject) {
    put_all(&subject, vec![NewMessage { execution_id: ExecutionId(4), ..of("rare", Some("gpu"), "1") }]).await;
    let want = || wish(&["rare"], &["gpu"]);
    let first = subject.provider.fetch_activities(want()).await.unwrap().remove(0);
    subject.commit(None, vec![retry(&first.lock_token, Duration::ZERO, "again")]).await;
    assert!(got(&subject, wish(&["work"], &["gpu"])).await.is_empty());
    assert!(got(&subject, wish(&["rare"], &[])).await.is_empty());
    let again = subject.provider.fetch_activities(want()).await.unwrap().remove(0);
    assert_eq!((again.id, again.instance, again.attempt), (first.id, first.instance, 2));
    assert_eq!(again.lock_token.execution_id.0, 4);
}

pub async fn instances_share_one_queue_in_the_order_of_arrival(subject: Subject) {
    let mut want = Vec::new();
    for n in 0..20 {
        let name = format!("{n:02}");
        subject.commit(None, vec![schedule(&format!("i{}", n * 7 % 20), &name)]).await;
        want.push(name);
    }
    assert_eq!(got(&subject, wish(&["work"], &[])).await, want);
}
