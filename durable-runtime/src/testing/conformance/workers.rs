//! Many workers at once: each ready thing to one of them, none left out, none twice.

use std::collections::BTreeSet;

use futures_util::future::join_all;

use super::kit::*;
use crate::providers::{ActivityRequest, NewMessage, OwnerId, Queue, TurnRequest};

fn turns_for(worker: usize, max: usize) -> TurnRequest {
    TurnRequest { owner: OwnerId::new(format!("worker {worker}")), ..any_turn(max) }
}

fn activities_for(worker: usize, max: usize) -> ActivityRequest {
    ActivityRequest { owner: OwnerId::new(format!("worker {worker}")), ..any_activity(max) }
}

async fn start_many(subject: &Subject, many: usize) -> BTreeSet<String> {
    let names: Vec<String> = (0..many).map(|n| format!("i{n:03}")).collect();
    subject.commit(None, names.iter().map(|name| send(name, "m")).collect()).await;
    names.into_iter().collect()
}

pub async fn ten_workers_share_all_ready_instances(subject: Subject) {
    let names = start_many(&subject, 50).await;
    let fetches = join_all((0..10).map(|worker| subject.provider.fetch_turns(turns_for(worker, 5)))).await;
    let turns: Vec<_> = fetches.into_iter().flat_map(Result::unwrap).collect();
    assert_eq!(turns.len(), 50, "somebody went away with less than there was");
    assert_eq!(turns.iter().map(|turn| turn.instance.to_string()).collect::<BTreeSet<_>>(), names);
    let fences: BTreeSet<u64> = turns.iter().map(|turn| turn.lock_token.fence).collect();
    assert_eq!(fences.len(), 50);
}

pub async fn ten_workers_that_want_one_get_one_each(subject: Subject) {
    let names = start_many(&subject, 10).await;
    let fetches = join_all((0..10).map(|worker| subject.provider.fetch_turns(turns_for(worker, 1)))).await;
    let got: BTreeSet<String> = fetches.into_iter().map(|turns| only(turns.unwrap()).instance.to_string()).collect();
    assert_eq!(got, names);
}

pub async fn one_worker_can_have_all_that_is_ready(subject: Subject) {
    let names = start_many(&subject, 100).await;
    let got: BTreeSet<String> = subject.turns(1_000).await.iter().map(|turn| turn.instance.to_string()).collect();
    assert_eq!(got, names);
}

pub async fn ten_workers_share_all_activities(subject: Subject) {
    let jobs: Vec<NewMessage> = (0..50).map(|n| work(&format!("job {n}"))).collect();
    subject.commit(None, vec![enqueue(Queue::Activities(id("a")), jobs)]).await;
    let fetches = join_all((0..10).map(|worker| subject.provider.fetch_activities(activities_for(worker, 5)))).await;
    let jobs: Vec<_> = fetches.into_iter().flat_map(Result::unwrap).collect();
    assert_eq!(jobs.len(), 50, "somebody went away with less than there was");
    assert_eq!(jobs.iter().map(|job| job.id.to_string()).collect::<BTreeSet<_>>().len(), 50);
    assert!(jobs.iter().all(|job| job.attempt == 1));
}

pub async fn ten_waiting_workers_share_what_comes_together(subject: Subject) {
    let wait = |worker| TurnRequest { wait: LONG, ..turns_for(worker, 1) };
    let fetches = join_all((0..10).map(|worker| subject.provider.fetch_turns(wait(worker))));
    let (fetches, names) = futures_util::future::join(fetches, start_many(&subject, 10)).await;
    let got: BTreeSet<String> = fetches.into_iter().map(|turns| only(turns.unwrap()).instance.to_string()).collect();
    assert_eq!(got, names);
}

pub async fn ten_waiting_workers_share_activities_that_come_together(subject: Subject) {
    let wait = |worker| ActivityRequest { wait: LONG, ..activities_for(worker, 1) };
    let fetches = join_all((0..10).map(|worker| subject.provider.fetch_activities(wait(worker))));
    let jobs = (0..10).map(|n| work(&n.to_string())).collect();
    let put = subject.commit(None, vec![enqueue(Queue::Activities(id("a")), jobs)]);
    let (fetches, ()) = futures_util::future::join(fetches, put).await;
    let got: BTreeSet<String> = fetches.into_iter().map(|jobs| only(jobs.unwrap()).id.to_string()).collect();
    assert_eq!(got.len(), 10);
}

pub async fn workers_that_ask_for_one_instance_get_one_lease(subject: Subject) {
    subject.start("a").await;
    let want = |worker| TurnRequest { instance: Some(id("a")), ..turns_for(worker, 1) };
    let fetches = join_all((0..10).map(|worker| subject.provider.fetch_turns(want(worker)))).await;
    assert_eq!(fetches.into_iter().flat_map(Result::unwrap).count(), 1);
}

pub async fn a_leased_instance_does_not_stand_before_others(subject: Subject) {
    for name in ["a", "b", "c"] {
        subject.start(name).await;
    }
    let _a = subject.turn_of("a").await;
    subject.commit(None, vec![send("a", "more")]).await;
    let got: Vec<_> = subject.turns(10).await.into_iter().map(|turn| turn.instance).collect();
    assert_eq!(got, [id("b"), id("c")]);
}

pub async fn a_busy_instance_does_not_starve_the_others(subject: Subject) {
    subject.start("busy").await;
    for name in ["x", "y", "z"] {
        subject.clock.advance(std::time::Duration::from_millis(1));
        subject.start(name).await;
    }
    let mut served = Vec::new();
    for round in 0..6 {
        subject.clock.advance(std::time::Duration::from_millis(1));
        let turn = only(subject.turns(1).await);
        let done = ids(&turn);
        let done: Vec<&str> = done.iter().map(String::as_str).collect();
        let mut ops = vec![ack(turn.instance.as_str(), &done), release()];
        if turn.instance == id("busy") {
            // It always has something to do.
            ops.push(send("busy", &format!("again {round}")));
        }
        subject.commit(Some(&turn.lock_token), ops).await;
        served.push(turn.instance.to_string());
    }
    assert_eq!(served, ["busy", "x", "y", "z", "busy", "busy"]);
}

pub async fn a_long_queue_of_one_instance_does_not_delay_anothers_activity(subject: Subject) {
    let jobs = (0..100).map(|n| work(&n.to_string())).collect();
    subject.commit(None, vec![enqueue(Queue::Activities(id("a")), jobs)]).await;
    let first = subject.activities(5).await;
    subject.commit(None, vec![schedule("b", "job")]).await;
    let rest: Vec<_> = subject.activities(1_000).await.into_iter().map(|job| job.instance).collect();
    assert_eq!((first.len(), rest.len()), (5, 96));
    let place = rest.iter().position(|instance| *instance == id("b"));
    // Where instances take turns it waits for one of the other's; else for all that came before.
    assert_eq!(place, Some(if subject.provider.capabilities().takes_turns { 1 } else { 95 }));
}

pub async fn senders_side_by_side_lose_no_message(subject: Subject) {
    let names: Vec<String> = (0..60).map(|n| format!("m{n:02}")).collect();
    join_all(names.iter().map(|name| subject.commit(None, vec![send("a", name)]))).await;
    let mut got = ids(&subject.turn().await);
    got.sort();
    assert_eq!(got, names);
}

pub async fn senders_of_one_message_leave_one(subject: Subject) {
    join_all((0..20).map(|_| subject.commit(None, vec![send("a", "m")]))).await;
    assert_eq!(ids(&subject.turn().await), ["m"]);
    assert_eq!(subject.stats().await.turn_messages, 1);
}

pub async fn writers_of_one_history_leave_no_gap_and_no_double(subject: Subject) {
    subject.commit(None, vec![create("a", 1)]).await;
    let mut kept = 0;
    for first in 1..=5 {
        let all = (0..8).map(|_| subject.try_commit(None, vec![append("a", 1, first, &[&first.to_string()])]));
        kept += join_all(all).await.iter().filter(|result| result.is_ok()).count();
    }
    assert_eq!(kept, 5);
    assert_eq!(subject.history("a", 1).await, ["1", "2", "3", "4", "5"]);
}

pub async fn a_lease_is_released_or_lost_but_not_both(subject: Subject) {
    subject.start("a").await;
    let token = subject.turn().await.lock_token;
    let releases = (0..8).map(|_| subject.try_commit(Some(&token), vec![ack("a", &["start"]), release()]));
    assert_eq!(join_all(releases).await.iter().filter(|result| result.is_ok()).count(), 1);
}

pub async fn an_activity_is_finished_once_by_many_hands(subject: Subject) {
    subject.commit(None, vec![schedule("a", "job")]).await;
    let token = subject.activity().await.lock_token;
    let names: Vec<String> = (0..8).map(|n| format!("done {n}")).collect();
    let ends = names.iter().map(|name| subject.try_commit(None, vec![ack_work(&token), send("a", name)]));
    assert_eq!(join_all(ends).await.iter().filter(|result| result.is_ok()).count(), 1);
    assert_eq!(subject.turn().await.messages.len(), 1);
}
