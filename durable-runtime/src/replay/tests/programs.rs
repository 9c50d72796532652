//! Random programs and random arrivals: what was recorded replays, and what was changed since is noticed.
//!
//! A program is a tree of steps, and one orchestration walks it. So a change of the program is what a change of code
//! would be, and there are as many orchestrations as anybody wants.

mod language;

use self::language::{Chance, Op, program};
use super::{execution, started};
use crate::clock::Timestamp;
use crate::history::{Carried, Event, EventKind, Failure, validate};
use crate::ids::CommandId;
use crate::limits::Limits;
use crate::payload::Payload;

/// How many programs are run, and how many changes of programs are to be noticed.
const PROGRAMS: u64 = 20_000;
const MUTANTS: usize = 500;
/// How many executions of one are run.
const GENERATIONS: usize = 3;
/// How many things happen to one program at most.
const ARRIVALS: usize = 20;

fn input(steps: &[Op]) -> String {
    serde_json::json!({ "steps": steps }).to_string()
}

/// What became of a program.
struct Recorded {
    arrivals: Vec<(EventKind, Timestamp)>,
    history: Vec<Event>,
    leftover: Vec<Carried>,
}

/// Runs a program under random arrivals; `each` sees the history after each.
fn record(steps: &[Op], carried: Vec<Carried>, chance: &mut Chance, mut each: impl FnMut(&[Event])) -> Recorded {
    let mut execution = execution::<program>(Limits::default());
    let (mut arrivals, mut history, mut open): (Vec<_>, Vec<Event>, Vec<EventKind>) = Default::default();
    let mut next = Some(started::<program>(&input(steps), carried));
    while let Some(kind) = next {
        let at = Timestamp::from_millis(1_000 * (arrivals.len() as u64 + 1));
        if execution.accepts(&kind) {
            arrivals.push((kind.clone(), at));
            let applied = execution.apply(kind, at);
            open.extend(applied.events[1..].iter().map(|event| event.kind.clone()));
            history.extend(applied.events);
            each(&history);
        }
        let goes_on = !execution.has_ended() && arrivals.len() < ARRIVALS;
        next = goes_on.then(|| arrival(&mut open, chance));
    }
    validate(&history).unwrap();
    Recorded { arrivals, history, leftover: execution.leftover_events() }
}

/// Something that can happen now: the end of what is open, in any order, or an event, or, seldom, a cancellation.
fn arrival(open: &mut Vec<EventKind>, chance: &mut Chance) -> EventKind {
    let payload = |value: u64| Payload::from_json(value.to_string()).unwrap();
    while !open.is_empty() && chance.below(5) > 0 {
        let value = chance.below(3) as u64;
        let (attempts, failed_attempts, redeliveries) = (1, Vec::new(), 0);
        return match open.swap_remove(chance.below(open.len())) {
            EventKind::ActivityScheduled { command, name, .. } if name == "program.risky" => {
                let failure = Failure::Failed { error: Payload::from_json("\"no\"".to_owned()).unwrap() };
                EventKind::ActivityFailed { command, failure, attempts, failed_attempts, redeliveries }
            }
            EventKind::ActivityScheduled { command, .. } => EventKind::ActivityCompleted {
                command,
                output: payload(value),
                attempts,
                failed_attempts,
                redeliveries,
            },
            EventKind::TimerSet { command, .. } => EventKind::TimerFired { command },
            EventKind::ChildStarted { command, .. } if value == 0 => {
                let failure = Failure::Cancelled { reason: "no".to_owned() };
                EventKind::ChildFailed { command, failure }
            }
            EventKind::ChildStarted { command, .. } => EventKind::ChildCompleted { command, output: payload(value) },
            EventKind::CommandCancelled { command } => {
                open.retain(|kind| command_of(kind) != Some(command));
                continue;
            }
            _ => continue,
        };
    }
    match chance.below(40) {
        0..3 => return EventKind::CancelRequested { reason: "enough".to_owned() },
        3 => return EventKind::DeadlineReached { message: "late".to_owned() },
        _ => {}
    }
    EventKind::EventRaised { name: chance.name().to_string(), value: payload(chance.below(9) as u64), key: None }
}

fn command_of(kind: &EventKind) -> Option<CommandId> {
    match kind {
        EventKind::ActivityScheduled { command, .. }
        | EventKind::TimerSet { command, .. }
        | EventKind::ChildStarted { command, .. } => Some(*command),
        _ => None,
    }
}

/// What a program asks for when just this happens to it, a line for each arrival.
fn asked(steps: &[Op], carried: &[Carried], arrivals: &[(EventKind, Timestamp)]) -> Vec<String> {
    let mut execution = execution::<program>(Limits::default());
    let mut asked = Vec::new();
    for (number, (kind, at)) in arrivals.iter().enumerate() {
        let kind = if number == 0 { started::<program>(&input(steps), carried.to_vec()) } else { kind.clone() };
        if execution.accepts(&kind) {
            let applied = execution.apply(kind, *at);
            let commands: Vec<_> = applied.events[1..].iter().map(|event| &event.kind).collect();
            asked.push(serde_json::to_string(&commands).unwrap());
        } else {
            asked.push("ignored".to_owned());
        }
    }
    asked
}

/// Replays a history as if this were the program that made it.
fn replays(steps: &[Op], carried: &[Carried], history: &[Event]) -> Result<(), String> {
    let mut execution = execution::<program>(Limits::default());
    let mut history = history.to_vec();
    history[0].kind = started::<program>(&input(steps), carried.to_vec());
    execution.replay(&history).map_err(|mismatch| mismatch.to_string())
}

#[test]
fn every_prefix_of_a_random_program_replays_to_the_same_commands() {
    let (mut events, mut ended, mut cancelled, mut undone, mut continued) = (0, 0, 0, 0, 0);
    for seed in 0..PROGRAMS {
        let mut chance = Chance::new(seed);
        let mut next = Some((chance.steps(2, 4), Vec::new()));
        for _generation in 0..GENERATIONS {
            let Some((steps, carried)) = next.take() else { break };
            let recorded = record(&steps, carried.clone(), &mut chance, |history| {
                replays(&steps, &carried, history).unwrap_or_else(|error| panic!("seed {seed}, {steps:?}: {error}"));
            });
            let first = asked(&steps, &carried, &recorded.arrivals);
            assert_eq!(first, asked(&steps, &carried, &recorded.arrivals), "seed {seed}");
            events += recorded.history.len();
            let end = &recorded.history.last().unwrap().kind;
            ended += usize::from(matches!(end, EventKind::Completed { .. }));
            cancelled += usize::from(matches!(end, EventKind::Cancelled { .. }));
            undone += usize::from(unwound(&recorded.history));
            next = next_generation(end).map(|steps| (steps, recorded.leftover));
            continued += usize::from(next.is_some());
        }
    }
    assert!(continued > PROGRAMS as usize / 20, "few programs continue as new: {continued}");
    assert!(events > 5 * PROGRAMS as usize, "the programs do little: {events} events");
    assert!(ended > PROGRAMS as usize / 10, "few programs come to an end: {ended}");
    assert!(cancelled > PROGRAMS as usize / 50, "few programs are cancelled: {cancelled}");
    assert!(undone > PROGRAMS as usize / 100, "few programs clean up: {undone}");
}

/// The steps of the next execution, if there is one.
fn next_generation(end: &EventKind) -> Option<Vec<Op>> {
    #[derive(serde::Deserialize)]
    struct Arguments {
        steps: Vec<Op>,
    }
    let EventKind::ContinuedAsNew { input, .. } = end else { return None };
    Some(serde_json::from_str::<Arguments>(input.as_str()).unwrap().steps)
}

/// Whether something was done after the request to end.
fn unwound(history: &[Event]) -> bool {
    let asked = |event: &Event| matches!(event.kind, EventKind::CancelRequested { .. });
    history.iter().skip_while(|event| !asked(event)).skip(1).any(|event| event.kind.opens().is_some())
}

/// Changes one step somewhere: renames, reorders, adds, removes, changes kind or argument.
fn mutate(steps: &mut Vec<Op>, chance: &mut Chance) {
    let at = chance.below(steps.len());
    let inside = chance.below(3) > 0;
    match &mut steps[at] {
        Op::Join(branches) | Op::Race(branches) if inside => {
            let branch = chance.below(branches.len());
            return mutate(&mut branches[branch], chance);
        }
        Op::Repeat(_, inner) | Op::OnCancel(inner) | Op::Undoable(inner) | Op::Held(inner) if inside => {
            return mutate(inner, chance);
        }
        _ => {}
    }
    match chance.below(6) {
        0 => steps.insert(at, chance.step(0)),
        1 if steps.len() > 1 => drop(steps.remove(at)),
        2 if at + 1 < steps.len() => steps.swap(at, at + 1),
        3 => steps[at] = chance.step(1),
        _ => match &mut steps[at] {
            Op::Call(name, _) | Op::Risky(name) | Op::Child(name) | Op::Wait(name) => *name = chance.name(),
            Op::Timer(number) | Op::Effect(number) | Op::Repeat(number, _) => *number += 1,
            Op::Join(branches) => steps[at] = Op::Race(std::mem::take(branches)),
            Op::Race(branches) => steps[at] = Op::Join(std::mem::take(branches)),
            Op::OnCancel(inner) => steps[at] = Op::Undoable(std::mem::take(inner)),
            Op::Undoable(inner) | Op::Held(inner) => steps[at] = Op::OnCancel(std::mem::take(inner)),
            _ => steps[at] = Op::Effect(7),
        },
    }
}

#[test]
fn a_change_of_code_that_changes_what_is_asked_for_is_a_mismatch_and_no_other_is() {
    let (mut noticed, mut harmless) = (0, 0);
    for seed in 1_000_000.. {
        let mut chance = Chance::new(seed);
        let steps = chance.steps(2, 4);
        let recorded = record(&steps, Vec::new(), &mut chance, |_| {});
        let mut changed = steps.clone();
        mutate(&mut changed, &mut chance);
        let differs = asked(&steps, &[], &recorded.arrivals) != asked(&changed, &[], &recorded.arrivals);
        let replayed = replays(&changed, &[], &recorded.history);
        assert_eq!(replayed.is_err(), differs, "seed {seed}\n{steps:?}\n{changed:?}\n{replayed:?}");
        noticed += usize::from(differs);
        harmless += usize::from(!differs);
        if noticed >= MUTANTS {
            break;
        }
    }
    assert!(harmless > 0, "some changes are of what was not reached");
}
