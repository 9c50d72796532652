//! Turns and time: what is visible, what is held back, and what asking for one instance means.

use std::time::Duration;

use super::kit::*;
use crate::clock::{Clock, Timestamp};
use crate::providers::{NewMessage, Queue, TransactionOp, TurnRequest};

pub async fn a_turn_holds_what_is_visible_and_no_more(subject: Subject) {
    let ops =
        vec![send("a", "now"), send_at("a", "soon", subject.in_time(5)), send_at("a", "late", subject.in_time(9))];
    subject.commit(None, ops).await;
    assert_eq!(ids(&subject.turn().await), ["now"]);
    subject.clock.advance(TTL);
    assert_eq!(ids(&subject.turn().await), ["now", "soon", "late"]);
}

pub async fn a_turn_holds_its_own_messages_only(subject: Subject) {
    for name in ["a", "b", "a/b", "aa"] {
        subject.commit(None, vec![send(name, &format!("for {name}")), send(name, "m")]).await;
    }
    for turn in subject.turns(10).await {
        assert_eq!(ids(&turn), [format!("for {}", turn.instance), "m".to_owned()]);
    }
}

pub async fn hundreds_of_messages_come_in_one_turn(subject: Subject) {
    let names: Vec<String> = (0..700).map(|n| format!("{:03}", n * 37 % 700)).collect();
    for part in names.chunks(100) {
        let items = part.iter().map(|name| message(name)).collect();
        subject.commit(None, vec![enqueue(Queue::Turns(id("a")), items)]).await;
    }
    assert_eq!(ids(&subject.turn().await), names);
}

pub async fn what_comes_due_during_a_turn_brings_the_next(subject: Subject) {
    subject.commit(None, vec![send("a", "m"), send_at("a", "timer", subject.in_time(5))]).await;
    let turn = subject.turn().await;
    subject.clock.advance(Duration::from_secs(5));
    assert!(subject.turns(10).await.is_empty());
    subject.commit(Some(&turn.lock_token), vec![ack("a", &["m"]), release()]).await;
    assert_eq!(ids(&subject.turn().await), ["timer"]);
}

pub async fn what_is_cancelled_during_a_turn_brings_none(subject: Subject) {
    subject.commit(None, vec![send("a", "m"), send("a", "cancelled")]).await;
    let turn = subject.turn().await;
    subject.commit(None, vec![cancel(Queue::Turns(id("a")), &["cancelled"])]).await;
    subject.commit(Some(&turn.lock_token), vec![ack("a", &["m", "cancelled"]), release()]).await;
    assert!(subject.turns(10).await.is_empty());
}

pub async fn a_turn_can_send_to_itself(subject: Subject) {
    subject.start("a").await;
    let turn = subject.turn().await;
    let ops = vec![ack("a", &["start"]), send("a", "next"), send_at("a", "timer", subject.in_time(5)), release()];
    subject.commit(Some(&turn.lock_token), ops).await;
    let turn = subject.turn().await;
    assert_eq!((ids(&turn), turn.attempt), (vec!["next".to_owned()], 1));
}

pub async fn a_turn_can_take_back_what_it_sent(subject: Subject) {
    subject.start("a").await;
    let turn = subject.turn().await;
    let ops = vec![send("a", "x"), send("a", "y"), ack("a", &["start", "x"]), release()];
    subject.commit(Some(&turn.lock_token), ops).await;
    assert_eq!(ids(&subject.turn().await), ["y"]);
}

pub async fn asking_for_one_instance_does_not_wait(subject: Subject) {
    subject.start("a").await;
    let _turn = subject.turn().await;
    let want = TurnRequest { instance: Some(id("a")), wait: LONG, ..any_turn(1) };
    assert!(subject.provider.fetch_turns(want).await.unwrap().is_empty());
}

pub async fn asking_for_one_instance_hands_over_its_messages(subject: Subject) {
    subject.start("a").await;
    subject.commit(None, vec![send("a", "m"), send_at("a", "late", subject.in_time(5))]).await;
    let turn = subject.turn_of("a").await;
    assert_eq!((ids(&turn), turn.attempt), (vec!["start".to_owned(), "m".to_owned()], 1));
}

pub async fn asking_for_one_instance_without_messages_counts_no_attempt(subject: Subject) {
    subject.commit(None, vec![send_at("a", "timer", subject.in_time(5))]).await;
    for _ in 0..3 {
        let turn = subject.turn_of("a").await;
        assert!(turn.messages.is_empty());
        subject.commit(Some(&turn.lock_token), vec![release()]).await;
    }
    subject.clock.advance(Duration::from_secs(5));
    assert_eq!(subject.turn().await.attempt, 1);
}

pub async fn a_lease_on_nothing_leaves_nothing(subject: Subject) {
    for name in ["a", "b"] {
        let turn = subject.turn_of(name).await;
        subject.commit(Some(&turn.lock_token), vec![release_for(60)]).await;
    }
    assert!(subject.turns(10).await.is_empty());
    assert!(!subject.exists("a").await);
    subject.clock.advance(LONG);
    assert!(subject.turns(10).await.is_empty());
    assert_eq!(subject.stats().await, Default::default());
}

pub async fn a_delay_holds_an_asked_for_instances_messages_back(subject: Subject) {
    subject.start("a").await;
    let turn = subject.turn().await;
    subject.commit(Some(&turn.lock_token), vec![release_for(100)]).await;
    assert!(subject.turn_of("a").await.messages.is_empty());
}

pub async fn a_delay_of_nothing_is_none(subject: Subject) {
    subject.start("a").await;
    let turn = subject.turn().await;
    subject.commit(Some(&turn.lock_token), vec![release_for(0)]).await;
    assert_eq!(subject.turn().await.attempt, 2);
}

pub async fn a_delay_holds_nobody_else_back(subject: Subject) {
    subject.start("a").await;
    let turn = subject.turn().await;
    let ops = vec![send("b", "m"), schedule("a", "job"), release_for(100)];
    subject.commit(Some(&turn.lock_token), ops).await;
    assert_eq!(subject.turn().await.instance, id("b"));
    assert_eq!(subject.activity().await.instance, id("a"));
}

pub async fn a_delay_counts_once(subject: Subject) {
    subject.start("a").await;
    let turn = subject.turn().await;
    subject.commit(Some(&turn.lock_token), vec![release_for(10)]).await;
    subject.clock.advance(Duration::from_secs(10));
    let turn = subject.turn().await;
    subject.commit(Some(&turn.lock_token), vec![release()]).await;
    assert_eq!(subject.turn().await.attempt, 3);
}

pub async fn a_delay_holds_back_what_is_sent_with_it(subject: Subject) {
    // Names before and after that of the message that goes.
    for (name, new) in [("a", "k"), ("b", "n")] {
        subject.commit(None, vec![send(name, "m")]).await;
        let turn = subject.turn().await;
        let ops = vec![release_for(10), ack(name, &["m"]), send(name, new)];
        subject.commit(Some(&turn.lock_token), ops).await;
        assert!(subject.turns(10).await.is_empty(), "{new}");
        subject.clock.advance(Duration::from_secs(10));
        let turn = subject.turn().await;
        assert_eq!(ids(&turn), [new]);
        subject.commit(Some(&turn.lock_token), vec![ack(name, &[new]), release()]).await;
    }
}

pub async fn a_delay_holds_the_next_execution_back(subject: Subject) {
    subject.start("a").await;
    let turn = subject.turn().await;
    let ops = vec![ack("a", &["start"]), create("a", 2), send("a", "m"), release_for(10)];
    subject.commit(Some(&turn.lock_token), ops).await;
    assert!(subject.turns(10).await.is_empty());
    subject.clock.advance(Duration::from_secs(10));
    assert_eq!(subject.turn().await.execution_id.0, 2);
}

pub async fn the_last_release_of_a_transaction_counts(subject: Subject) {
    subject.start("a").await;
    let turn = subject.turn().await;
    subject.commit(Some(&turn.lock_token), vec![release_for(10), release()]).await;
    let turn = subject.turn().await;
    subject.commit(Some(&turn.lock_token), vec![release(), release_for(10)]).await;
    assert!(subject.turns(10).await.is_empty());
}

pub async fn the_longest_delay_does_not_overflow(subject: Subject) {
    subject.start("a").await;
    let turn = subject.turn().await;
    let release = TransactionOp::ReleaseLock { delay: Some(Duration::MAX), give_back_attempt: false };
    subject.commit(Some(&turn.lock_token), vec![release]).await;
    subject.clock.advance(LONG);
    assert!(subject.turns(10).await.is_empty());
    assert_eq!(subject.stats().await.turn_messages, 1);
}

pub async fn an_overdue_message_is_there_at_once_and_first(subject: Subject) {
    subject.commit(None, vec![send("a", "now"), send_at("a", "overdue", Timestamp::EPOCH)]).await;
    let turn = subject.turn().await;
    assert_eq!(ids(&turn), ["overdue", "now"]);
    assert_eq!(turn.messages[0].visible_at, Timestamp::EPOCH);
}

pub async fn a_message_for_the_end_of_time_waits_for_it(subject: Subject) {
    subject.commit(None, vec![send_at("a", "never", Timestamp::MAX)]).await;
    subject.clock.set(Timestamp::from_millis(Timestamp::MAX.as_millis() - 1));
    assert!(subject.turns(10).await.is_empty());
    subject.commit(None, vec![cancel(Queue::Turns(id("a")), &["never"])]).await;
    assert_eq!(subject.stats().await.turn_messages, 0);
}

pub async fn a_message_says_since_when_it_is_visible(subject: Subject) {
    let sent = subject.clock.now();
    subject.commit(None, vec![send("a", "now"), send_at("a", "later", subject.in_time(5))]).await;
    subject.clock.advance(LONG);
    let times: Vec<_> = subject.turn().await.messages.into_iter().map(|message| message.visible_at).collect();
    assert_eq!(times, [sent, sent.saturating_add(Duration::from_secs(5))]);
}

pub async fn a_clock_that_is_set_back_hides_what_is_not_due(subject: Subject) {
    subject.commit(None, vec![send_at("a", "timer", subject.in_time(10))]).await;
    let begin = subject.clock.now();
    subject.clock.set(Timestamp::from_millis(begin.as_millis() - 86_400_000));
    assert!(subject.turns(10).await.is_empty());
    subject.clock.set(begin.saturating_add(Duration::from_secs(10)));
    assert_eq!(ids(&subject.turn().await), ["timer"]);
}

pub async fn a_clock_that_jumps_ahead_fires_each_timer_once(subject: Subject) {
    let timers = (1..=20).map(|n| send_at("a", &n.to_string(), subject.in_time(n * 3_600))).collect();
    subject.commit(None, timers).await;
    subject.clock.advance(Duration::from_secs(86_400));
    let turn = subject.turn().await;
    let fired = ids(&turn);
    assert_eq!(fired, (1..=20).map(|n| n.to_string()).collect::<Vec<_>>());
    let fired: Vec<&str> = fired.iter().map(String::as_str).collect();
    subject.commit(Some(&turn.lock_token), vec![ack("a", &fired), release()]).await;
    subject.clock.advance(LONG);
    assert!(subject.turns(10).await.is_empty());
}

pub async fn a_timer_moved_by_cancelling_fires_at_its_new_time(subject: Subject) {
    subject.commit(None, vec![send_at("a", "timer", subject.in_time(10))]).await;
    let later = NewMessage { visible_at: Some(subject.in_time(20)), ..message("timer") };
    let queue = Queue::Turns(id("a"));
    subject.commit(None, vec![cancel(queue.clone(), &["timer"]), enqueue(queue, vec![later])]).await;
    subject.clock.advance(Duration::from_secs(19));
    assert!(subject.turns(10).await.is_empty());
    subject.clock.advance(Duration::from_secs(1));
    assert_eq!(ids(&subject.turn().await), ["timer"]);
}

pub async fn attempts_belong_to_messages(subject: Subject) {
    subject.commit(None, vec![send("a", "old")]).await;
    for _ in 0..2 {
        let turn = subject.turn().await;
        subject.commit(Some(&turn.lock_token), vec![release()]).await;
    }
    subject.commit(None, vec![send("a", "new")]).await;
    let turn = subject.turn().await;
    assert_eq!(turn.attempt, 3);
    subject.commit(Some(&turn.lock_token), vec![ack("a", &["old"]), release()]).await;
    assert_eq!(subject.turn().await.attempt, 2);
}
