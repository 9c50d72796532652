//! What was kept is there when the store is opened again. For stores that outlive their process: they give the suite a
//! way to open them again, and a store that says it is persistent and gives none fails here.

use std::time::Duration;

use super::kit::*;
use crate::providers::{ActivityRequest, CommitError, NewMessage, Queue, Renewal, Stats};

async fn full(subject: &Subject) {
    let long = "x".repeat(30_000);
    let ops = vec![
        create("a", 1),
        append("a", 1, 1, &["one", &long]),
        create("a", 2),
        append("a", 2, 1, &["again"]),
        put("a", "k", Some(&long)),
        label("a", "l", Some("m")),
        create("☃/..", 1),
        put("☃/..", "\0", Some("odd")),
    ];
    subject.commit(None, ops).await;
}

pub async fn all_records_and_histories_are_there_again(mut subject: Subject) {
    full(&subject).await;
    let before = subject.seen().await;
    for _ in 0..3 {
        if !subject.restart().await {
            return;
        }
        assert_eq!(subject.seen().await, before);
    }
}

pub async fn messages_wait_in_their_order_again(mut subject: Subject) {
    subject.commit(None, vec![send("a", "1"), send_at("a", "timer", subject.in_time(50)), send("a", "2")]).await;
    subject.commit(None, vec![send("a", "3")]).await;
    if !subject.restart().await {
        return;
    }
    subject.commit(None, vec![send("a", "4")]).await;
    assert_eq!(ids(&subject.turn().await), ["1", "2", "3", "4"]);
    subject.clock.advance(LONG);
    // What came due later comes later.
    assert_eq!(ids(&subject.turn().await), ["1", "2", "3", "4", "timer"]);
}

pub async fn activities_wait_in_their_order_again(mut subject: Subject) {
    let rare = NewMessage { topic: "rare".to_owned(), tag: Some("gpu".to_owned()), ..message("rare") };
    let later = NewMessage { visible_at: Some(subject.in_time(50)), ..work("later") };
    let items = vec![work("1"), rare, work("2"), later];
    subject.commit(None, vec![enqueue(Queue::Activities(id("a")), items)]).await;
    if !subject.restart().await {
        return;
    }
    subject.commit(None, vec![schedule("a", "3")]).await;
    let names: Vec<_> = subject.activities(10).await.into_iter().map(|job| job.id.to_string()).collect();
    assert_eq!(names, ["1", "2", "3"]);
    let want =
        ActivityRequest { topics: ["rare".to_owned()].into(), tags: ["gpu".to_owned()].into(), ..any_activity(9) };
    assert_eq!(only(subject.provider.fetch_activities(want).await.unwrap()).id, message_id("rare"));
}

pub async fn a_retried_activity_is_there_again_as_it_was_changed(mut subject: Subject) {
    subject.commit(None, vec![schedule("a", "job")]).await;
    let job = subject.activity().await;
    subject.commit(None, vec![retry(&job.lock_token, Duration::from_secs(60), "changed")]).await;
    if !subject.restart().await {
        return;
    }
    assert!(subject.activities(10).await.is_empty());
    subject.clock.advance(Duration::from_secs(60));
    assert_eq!(text(&subject.activity().await.data), "changed");
}

pub async fn what_was_acknowledged_stays_away(mut subject: Subject) {
    subject.commit(None, vec![send("a", "1"), send("a", "2"), schedule("a", "1"), schedule("a", "2")]).await;
    let (turn, job) = (subject.turn().await, subject.activities(1).await.remove(0));
    let ops = vec![ack("a", &["1"]), ack_work(&job.lock_token), release()];
    subject.commit(Some(&turn.lock_token), ops).await;
    if !subject.restart().await {
        return;
    }
    assert_eq!(ids(&subject.turn().await), ["2"]);
    assert_eq!(subject.activity().await.id, message_id("2"));
}

pub async fn what_was_deleted_stays_away(mut subject: Subject) {
    full(&subject).await;
    subject.commit(None, vec![send("a", "m"), schedule("a", "job")]).await;
    subject.commit(None, vec![delete("a"), delete("☃/..")]).await;
    if !subject.restart().await {
        return;
    }
    assert!(!subject.exists("a").await && subject.history("a", 1).await.is_empty());
    assert_eq!(subject.stats().await, Stats::default());
    subject.start("a").await;
    assert!(subject.record("a").await.metadata.is_empty());
}

pub async fn what_was_refused_does_not_appear(mut subject: Subject) {
    full(&subject).await;
    let before = subject.seen().await;
    let ops = vec![append("a", 2, 2, &["never"]), send("a", "never"), create("c", 1), put("nobody", "k", None)];
    subject.refused(None, ops).await;
    if subject.restart().await {
        assert_eq!(subject.seen().await, before);
    }
}

pub async fn the_numbers_are_right_again(mut subject: Subject) {
    full(&subject).await;
    subject.commit(None, vec![send("a", "m"), send("b", "early"), schedule("a", "1"), schedule("a", "2")]).await;
    if !subject.restart().await {
        return;
    }
    let want = Stats { instances: 2, turn_messages: 2, activities: 2, ..Stats::default() };
    assert_eq!(subject.stats().await, want);
}

pub async fn a_commit_id_is_known_again(mut subject: Subject) {
    let transaction = subject.transaction(None, vec![create("a", 1), append("a", 1, 1, &["one"]), send("a", "m")]);
    let first = subject.provider.atomic_batch(transaction.clone()).await.unwrap();
    if !subject.restart().await {
        return;
    }
    assert_eq!(subject.provider.atomic_batch(transaction).await.unwrap(), first);
    assert_eq!((subject.history("a", 1).await.len(), subject.stats().await.turn_messages), (1, 1));
}

pub async fn fences_grow_over_restarts(mut subject: Subject) {
    let mut last = 0;
    for _ in 0..4 {
        for _ in 0..3 {
            let turn = subject.turn_of("a").await;
            assert!(last < turn.lock_token.fence);
            last = turn.lock_token.fence;
            subject.commit(Some(&turn.lock_token), vec![release()]).await;
        }
        if !subject.restart().await {
            return;
        }
    }
}

pub async fn a_lease_from_before_ends_at_its_time_at_the_latest(mut subject: Subject) {
    subject.commit(None, vec![create("a", 1), send("a", "m"), schedule("a", "job")]).await;
    let (turn, job) = (subject.turn().await, subject.activity().await);
    if !subject.restart().await {
        return;
    }
    subject.clock.advance(TTL);
    assert_eq!(
        (ids(&subject.turn().await), text(&subject.activity().await.data)),
        (vec!["m".to_owned()], "job".into())
    );
    let late = subject.refused(Some(&turn.lock_token), vec![append("a", 1, 1, &["late"])]).await;
    assert!(matches!(late, CommitError::LeaseLost(_)));
    assert!(matches!(subject.refused(None, vec![ack_work(&job.lock_token)]).await, CommitError::WorkGone(_)));
    assert_eq!(subject.renew(&turn.lock_token).await, Renewal::Lost);
}

pub async fn histories_and_executions_go_on_where_they_were(mut subject: Subject) {
    subject.commit(None, vec![create("a", 1)]).await;
    for round in 1..=4 {
        subject.commit(None, vec![append("a", round, 1, &["one", "two"])]).await;
        if !subject.restart().await {
            return;
        }
        subject.refused(None, vec![append("a", round, 2, &["gap"])]).await;
        subject.commit(None, vec![append("a", round, 3, &["three"]), create("a", round + 1)]).await;
    }
    for round in 1..=4 {
        assert_eq!(subject.history("a", round).await, ["one", "two", "three"]);
    }
}

pub async fn revisions_go_on_where_they_were(mut subject: Subject) {
    subject.commit(None, vec![create("a", 1)]).await;
    let mut last = 1;
    for round in 0..3 {
        subject.commit(None, vec![put("a", "k", Some(&round.to_string()))]).await;
        let revision = subject.revision("a").await;
        assert!(revision > last);
        last = revision;
        if !subject.restart().await {
            return;
        }
        assert_eq!(subject.revision("a").await, last);
    }
}
