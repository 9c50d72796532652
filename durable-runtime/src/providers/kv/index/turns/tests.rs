use std::sync::Arc;

use super::*;
use crate::ids::ExecutionId;
use crate::providers::kv::index::Lane;

const NOW: Timestamp = Timestamp::from_millis(1_000);

fn id(text: &str) -> InstanceId {
    InstanceId::new(text).unwrap()
}

/// A message that becomes visible at this moment, and what it is about.
fn message(turns: &mut Turns, instance: &str, at: u64, topic: &str) {
    let lane = (!topic.is_empty()).then(|| Arc::new(Lane { topic: topic.to_owned(), tag: None, session: None }));
    let place = (Timestamp::from_millis(at), turns.count() + 1);
    let queued = Queued { place, execution_id: ExecutionId::FIRST, attempt: 0, parts: 0, recovered: false, lane };
    turns.insert(id(instance), MessageId::new(format!("m{}", place.1)).unwrap(), queued);
}

fn note(turns: &mut Turns, instance: &str, needed: &str) {
    let changes = turns.changes(&id(instance));
    turns.note_need(&id(instance), changes, "needs", Some(needed.to_owned()));
}

fn can(skill: &str) -> Skills {
    Skills::new("needs", [skill])
}

/// Those in the schedule that are ready now.
fn looked_at(turns: &Turns) -> Vec<&str> {
    turns.ready_behind(None, NOW).map(|(_, instance)| instance.as_str()).collect()
}

/// Those that somebody with these skills is given, ten at most.
fn taken<'a>(turns: &'a Turns, skills: &Skills) -> Vec<&'a str> {
    let suited = |instance: &InstanceId| turns.suits(instance, skills, NOW) == Some(true);
    let found = turns.first_ready(10, NOW, |kind| kind.may_suit(skills), suited);
    found.into_iter().map(|(_, instance)| instance.as_str()).collect()
}

/// Each needs the skill that its name begins with.
fn turns_of(names: &[&str]) -> Turns {
    let mut turns = Turns::default();
    for (at, name) in names.iter().enumerate() {
        message(&mut turns, name, at as u64, "");
        note(&mut turns, name, name.split('-').next().unwrap());
    }
    turns
}

#[test]
fn what_a_worker_cannot_do_is_looked_at_once_and_kept_for_others() {
    let mut turns = turns_of(&["weld-1", "bake-1", "weld-2", "mow-1", "bake-2", "weld-3"]);
    turns.put_aside(&can("bake"), 2, NOW);
    assert_eq!(looked_at(&turns), ["bake-1", "bake-2", "weld-3"], "no further than two that it can do");
    assert_eq!(taken(&turns, &can("bake")), ["bake-1", "bake-2"]);
    turns.put_aside(&can("weld"), 10, NOW);
    assert_eq!(looked_at(&turns), ["weld-3"]);
    assert_eq!(taken(&turns, &can("weld")), ["weld-1", "weld-2", "weld-3"], "in order, wherever they stand");
    assert_eq!(taken(&turns, &can("mow")), ["mow-1"]);
    let all = turns.first_ready(10, NOW, |_| true, |_| true).len();
    assert_eq!((all, turns.any_ready(NOW)), (6, true));
    let either = Skills::new("needs", ["mow", "weld"]);
    let unsuited = |instance: &InstanceId| turns.suits(instance, &either, NOW) == Some(false);
    let passed_over = turns.first_ready(10, NOW, |kind| kind.may_not_suit(&either), unsuited);
    let passed_over: Vec<_> = passed_over.into_iter().map(|(_, instance)| instance.as_str()).collect();
    assert_eq!(passed_over, ["bake-1", "bake-2"]);
}

#[test]
fn whatever_changes_brings_it_back() {
    let names = ["weld-1", "weld-2", "weld-3", "weld-4"];
    let mut turns = turns_of(&names);
    turns.put_aside(&can("bake"), 1, NOW);
    assert_eq!((looked_at(&turns), turns.any_ready(NOW)), (vec![], false));
    message(&mut turns, "weld-1", 500, "bake");
    turns.forget_need(&id("weld-2"));
    turns.take(&id("weld-3"), 7, &[]);
    turns.free(&id("weld-3"), NOW);
    assert_eq!(looked_at(&turns), ["weld-1", "weld-2", "weld-3"]);
    assert_eq!(taken(&turns, &can("bake")), ["weld-1"], "one of its messages is about baking");
    let gone = turns.ids_of(&id("weld-4")).next().unwrap().clone();
    turns.remove(&id("weld-4"), &gone);
    assert_eq!(turns.first_ready(10, NOW, |_| true, |_| true).len(), 3, "what is gone stands nowhere");
}

#[test]
fn what_comes_to_need_something_else_by_time_alone_stays_in_the_schedule() {
    let mut turns = turns_of(&["weld-1", "weld-2"]);
    message(&mut turns, "weld-1", 2_000, "bake");
    message(&mut turns, "weld-2", 2_000, "");
    turns.put_aside(&can("bake"), 1, NOW);
    assert_eq!(looked_at(&turns), ["weld-1"]);
}

#[test]
fn those_that_are_left_alone_are_found_among_their_kind() {
    let mut turns = turns_of(&["bake-1", "bake-2"]);
    message(&mut turns, "bake-2", 1, "end");
    turns.put_aside(&can("weld"), 1, NOW);
    let leaving = can("bake").leaving_alone([id("bake-1"), id("bake-2")], "end");
    assert_eq!((looked_at(&turns), taken(&turns, &leaving)), (vec![], vec!["bake-2"]));
    let unable = can("mow").leaving_alone([id("bake-1"), id("bake-2")], "end");
    assert_eq!(taken(&turns, &unable), ["bake-2"]);
}

#[test]
fn another_label_is_another_question() {
    let mut turns = turns_of(&["weld-1"]);
    turns.put_aside(&can("bake"), 1, NOW);
    turns.take_back_others("needs");
    assert_eq!(looked_at(&turns), Vec::<&str>::new());
    turns.take_back_others("wants");
    assert_eq!(looked_at(&turns), ["weld-1"]);
}
