//! Which instance gets a turn, and when.

use std::time::Duration;

use super::kit::*;
use crate::providers::LeasedTurn;

fn names(turns: &[LeasedTurn]) -> Vec<&str> {
    turns.iter().map(|turn| turn.instance.as_str()).collect()
}

pub async fn the_longest_ready_comes_first(subject: Subject) {
    subject.commit(None, vec![send_at("timer", "t", subject.in_time(5))]).await;
    for name in ["c", "a", "b"] {
        subject.commit(None, vec![send(name, "m")]).await;
        subject.clock.advance(Duration::from_secs(3));
    }
    assert_eq!(names(&subject.turns(10).await), ["c", "a", "timer", "b"]);
}

pub async fn what_is_released_with_messages_is_ready_again(subject: Subject) {
    subject.start("a").await;
    let turn = subject.turn().await;
    subject.commit(Some(&turn.lock_token), vec![release()]).await;
    let again = subject.turn().await;
    assert_eq!((ids(&again), again.attempt), (vec!["start".to_owned()], 2));
}

pub async fn what_is_released_without_messages_is_not_ready(subject: Subject) {
    subject.start("a").await;
    let turn = subject.turn().await;
    subject.commit(Some(&turn.lock_token), vec![ack("a", &["start"]), append("a", 1, 1, &["1"]), release()]).await;
    assert!(subject.turns(10).await.is_empty());
    subject.clock.advance(LONG);
    assert!(subject.turns(10).await.is_empty());
}

pub async fn a_delay_holds_everything_back(subject: Subject) {
    subject.start("a").await;
    let turn = subject.turn().await;
    subject.commit(Some(&turn.lock_token), vec![release_for(10)]).await;
    subject.commit(None, vec![send("a", "m")]).await;
    subject.clock.advance(Duration::from_millis(9_999));
    assert!(subject.turns(10).await.is_empty());
    subject.clock.advance(Duration::from_millis(1));
    assert_eq!(ids(&subject.turn().await), ["start", "m"]);
}

pub async fn messages_that_arrive_during_a_turn_bring_the_next(subject: Subject) {
    subject.start("a").await;
    let turn = subject.turn().await;
    subject.commit(None, vec![send("a", "m")]).await;
    assert!(subject.turns(10).await.is_empty());
    subject.commit(Some(&turn.lock_token), vec![ack("a", &["start"]), release()]).await;
    assert_eq!(ids(&subject.turn().await), ["m"]);
}

pub async fn one_instance_can_be_asked_for(subject: Subject) {
    subject.start("a").await;
    subject.start("b").await;
    assert_eq!(ids(&subject.turn_of("b").await), ["start"]);
    assert_eq!(names(&subject.turns(10).await), ["a"]);
}

pub async fn an_instance_that_does_not_exist_can_be_leased(subject: Subject) {
    let turn = subject.turn_of("a").await;
    assert_eq!((turn.execution_id.0, turn.history_len, turn.is_new_execution), (1, 0, true));
    assert!(turn.messages.is_empty());
    let ops = vec![create("a", 1), append("a", 1, 1, &["started"]), schedule("a", "job")];
    subject.commit(Some(&turn.lock_token), ops).await;
    subject.commit(Some(&turn.lock_token), vec![append("a", 1, 2, &["more"]), release()]).await;
    assert_eq!(subject.history("a", 1).await, ["started", "more"]);
    assert!(subject.turns(10).await.is_empty());
    let stats = subject.provider.stats().await.unwrap();
    assert_eq!((stats.instances, stats.turns_leased), (1, 0));
}

pub async fn no_more_than_asked_for(subject: Subject) {
    for name in ["a", "b", "c"] {
        subject.start(name).await;
    }
    assert!(subject.turns(0).await.is_empty());
    assert_eq!(names(&subject.turns(2).await), ["a", "b"]);
    assert_eq!(names(&subject.turns(2).await), ["c"]);
}

pub async fn a_turn_says_where_the_history_ends(subject: Subject) {
    subject.start("a").await;
    let turn = subject.turn().await;
    assert_eq!((turn.history_len, turn.is_new_execution), (0, true));
    subject.commit(Some(&turn.lock_token), vec![append("a", 1, 1, &["1", "2", "3"]), release()]).await;
    let turn = subject.turn().await;
    assert_eq!((turn.history_len, turn.is_new_execution), (3, false));
}
