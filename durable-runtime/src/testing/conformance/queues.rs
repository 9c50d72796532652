//! Messages for turns: kept until acknowledged, in order, not early.

use bytes::Bytes;

use super::kit::*;
use crate::providers::{NewMessage, Queue};

pub async fn messages_come_in_order_of_visibility(subject: Subject) {
    let now = subject.in_time(0);
    let items = vec![
        NewMessage { visible_at: Some(subject.in_time(20)), ..message("third") },
        NewMessage { visible_at: Some(subject.in_time(10)), ..message("second") },
        NewMessage { visible_at: Some(now), ..message("first") },
        NewMessage { visible_at: Some(subject.in_time(10)), ..message("a second, but later") },
    ];
    subject.commit(None, vec![enqueue(Queue::Turns(id("a")), items)]).await;
    subject.clock.set(subject.in_time(20));
    let turn = subject.turn().await;
    assert_eq!(ids(&turn), ["first", "second", "a second, but later", "third"]);
    assert_eq!(turn.messages[0].visible_at, now);
}

pub async fn a_message_that_is_there_stays_as_it_is(subject: Subject) {
    subject.commit(None, vec![send("a", "m")]).await;
    let other =
        NewMessage { data: Bytes::from_static(b"other"), visible_at: Some(subject.in_time(99)), ..message("m") };
    subject.commit(None, vec![enqueue(Queue::Turns(id("a")), vec![other.clone(), other])]).await;
    let turn = subject.turn().await;
    assert_eq!(text(&only(turn.messages).data), "m");
    assert_eq!(subject.provider.stats().await.unwrap().turn_messages, 1);
}

pub async fn a_message_is_handed_out_until_it_is_acknowledged(subject: Subject) {
    subject.start("a").await;
    subject.commit(None, vec![send("a", "m")]).await;
    let turn = subject.turn().await;
    assert_eq!(ids(&turn), ["start", "m"]);
    subject.commit(Some(&turn.lock_token), vec![ack("a", &["start"]), release()]).await;
    let turn = subject.turn().await;
    assert_eq!(ids(&turn), ["m"]);
    subject.commit(Some(&turn.lock_token), vec![ack("a", &["m"]), release()]).await;
    assert!(subject.turns(10).await.is_empty());
    assert_eq!(subject.provider.stats().await.unwrap().turn_messages, 0);
}

pub async fn messages_before_the_instance_exists_are_kept(subject: Subject) {
    subject.commit(None, vec![send("a", "early")]).await;
    assert!(!subject.exists("a").await);
    let turn = subject.turn().await;
    assert_eq!((turn.execution_id.0, turn.is_new_execution, turn.history_len), (1, true, 0));
    subject.commit(Some(&turn.lock_token), vec![release_for(60)]).await;
    subject.commit(None, vec![create("a", 1), send("a", "start")]).await;
    subject.clock.set(subject.in_time(60));
    assert_eq!(ids(&subject.turn().await), ["early", "start"]);
}

pub async fn a_cancelled_message_is_not_handed_out(subject: Subject) {
    subject.commit(None, vec![send_at("a", "timer", subject.in_time(10)), send("a", "m")]).await;
    subject.commit(None, vec![cancel(Queue::Turns(id("a")), &["timer", "unknown"])]).await;
    subject.clock.set(subject.in_time(10));
    assert_eq!(ids(&subject.turn().await), ["m"]);
}

pub async fn a_message_for_later_is_not_early(subject: Subject) {
    subject.commit(None, vec![send_at("a", "timer", subject.in_time(10))]).await;
    subject.clock.advance(std::time::Duration::from_millis(9_999));
    assert!(subject.turns(10).await.is_empty());
    assert!(subject.turn_of("a").await.messages.is_empty());
    subject.clock.advance(TTL);
    assert_eq!(ids(&subject.turn().await), ["timer"]);
}

pub async fn an_id_can_be_used_again_after_its_message_is_gone(subject: Subject) {
    subject.commit(None, vec![send("a", "m")]).await;
    let turn = subject.turn().await;
    let again = NewMessage { data: Bytes::from_static(b"again"), ..message("m") };
    let ops = vec![ack("a", &["m"]), enqueue(Queue::Turns(id("a")), vec![again]), release()];
    subject.commit(Some(&turn.lock_token), ops).await;
    let turn = subject.turn().await;
    assert_eq!((text(&only(turn.messages).data).as_str(), turn.attempt), ("again", 1));
}

pub async fn acknowledging_what_is_gone_is_fine(subject: Subject) {
    subject.start("a").await;
    let turn = subject.turn().await;
    subject.commit(Some(&turn.lock_token), vec![ack("a", &["start", "start", "unknown"])]).await;
    subject.commit(Some(&turn.lock_token), vec![ack("a", &["start"]), release()]).await;
    assert!(subject.turns(10).await.is_empty());
}

pub async fn attempts_are_counted(subject: Subject) {
    subject.start("a").await;
    for attempt in 1..=3 {
        assert_eq!(subject.turn().await.attempt, attempt);
        subject.clock.advance(TTL);
    }
    let turn = subject.turn().await;
    subject.commit(Some(&turn.lock_token), vec![release()]).await;
    subject.commit(None, vec![send("a", "m")]).await;
    let turn = subject.turn().await;
    assert_eq!(turn.attempt, 5);
    subject.commit(Some(&turn.lock_token), vec![ack("a", &["start"]), release()]).await;
    assert_eq!(subject.turn().await.attempt, 2);
}
