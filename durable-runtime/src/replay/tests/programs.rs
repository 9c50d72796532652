//! Random programs and random arrivals: what was recorded replays, and what was changed since is noticed.
//!
//! A program is a tree of steps, and one orchestration walks it. So a change of the program is what a change of code
//! would be, and there are as many orchestrations as anybody wants.

use std::cell::RefCell;
use std::time::Duration;

use super::{execution, started};
use crate::clock::Timestamp;
use crate::context::{LocalBoxDurable, OrchestrationContext, join_all, race};
use crate::history::{Event, EventKind, Failure, validate};
use crate::ids::CommandId;
use crate::limits::Limits;
use crate::payload::Payload;
use crate::prelude::*;

/// How many programs are run, and how many changes of programs are to be noticed.
const PROGRAMS: u64 = 20_000;
const MUTANTS: usize = 500;
/// How many things happen to one program at most.
const ARRIVALS: usize = 20;

#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
enum Op {
    Call(char, u64),
    Risky(char),
    Child(char),
    Timer(u64),
    Wait(char),
    TryEvent,
    Effect(u64),
    Draw,
    Join(Vec<Vec<Op>>),
    Race(Vec<Vec<Op>>),
    Repeat(u64, Vec<Op>),
}

#[derive(Event, Serialize, Deserialize)]
#[event(name = "a")]
struct Named(u64);

#[activity(name = "program.call")]
async fn call(name: char, number: u64) -> u64 {
    number + u64::from(name)
}

#[activity(name = "program.other_call")]
async fn other_call(name: char, number: u64) -> u64 {
    number + u64::from(name)
}

#[activity(name = "program.risky")]
async fn risky(name: char) -> Result<u64, String> {
    Err(name.to_string())
}

#[orchestration(name = "program.child")]
async fn child(_ctx: OrchestrationContext, name: char) -> u64 {
    u64::from(name)
}

#[orchestration(name = "program")]
async fn program(ctx: OrchestrationContext, steps: Vec<Op>) -> Vec<String> {
    let log = RefCell::new(Vec::new());
    walk(&ctx, &steps, &log).await;
    log.into_inner()
}

fn walk<'a>(ctx: &'a OrchestrationContext, steps: &'a [Op], log: &'a RefCell<Vec<String>>) -> LocalBoxDurable<'a, ()> {
    Box::pin(walk_in_turn(ctx, steps, log))
}

#[deterministic]
async fn walk_in_turn(ctx: &OrchestrationContext, steps: &[Op], log: &RefCell<Vec<String>>) {
    for step in steps {
        let said = match step {
            Op::Call(name, number) if *name < 'd' => format!("{:?}", call(ctx, *name, *number).await),
            Op::Call(name, number) => format!("{:?}", other_call(ctx, *name, *number).await),
            Op::Risky(name) => format!("{:?}", risky(ctx, *name).await),
            Op::Child(name) => format!("{:?}", child(ctx, *name).await),
            Op::Timer(millis) => {
                ctx.timer(Duration::from_millis(*millis)).await;
                format!("{:?}", ctx.now())
            }
            Op::Wait(name) => ctx.event_named::<u64>(name.to_string()).await.to_string(),
            Op::TryEvent => ctx.try_event::<Named>().map_or(0, |event| event.0).to_string(),
            // What it answers is taken from the history; its name is code.
            Op::Effect(value) => ctx.side_effect(&format!("effect {value}"), || *value).to_string(),
            Op::Draw => format!("{} {}", ctx.random(), ctx.new_guid()),
            Op::Join(branches) => {
                join_all(branches.iter().map(|branch| walk(ctx, branch, log))).await;
                "joined".to_owned()
            }
            Op::Race(branches) => {
                race(branches.iter().map(|branch| walk(ctx, branch, log))).await;
                "raced".to_owned()
            }
            Op::Repeat(times, inner) => {
                for _ in 0..*times {
                    walk(ctx, inner, log).await;
                }
                "repeated".to_owned()
            }
        };
        log.borrow_mut().push(said);
    }
}

/// Small and well spread, the same on every machine.
struct Chance(u64);

impl Chance {
    fn new(seed: u64) -> Self {
        Self((seed + 1).wrapping_mul(0x9e37_79b9_7f4a_7c15))
    }

    fn below(&mut self, bound: usize) -> usize {
        self.0 ^= self.0 << 13;
        self.0 ^= self.0 >> 7;
        self.0 ^= self.0 << 17;
        (self.0 >> 11) as usize % bound
    }

    fn name(&mut self) -> char {
        ['a', 'b', 'c', 'd', 'e'][self.below(5)]
    }

    fn steps(&mut self, depth: usize, most: usize) -> Vec<Op> {
        (0..1 + self.below(most)).map(|_| self.step(depth)).collect()
    }

    fn step(&mut self, depth: usize) -> Op {
        match self.below(if depth == 0 { 9 } else { 13 }) {
            0 | 1 => Op::Call(self.name(), self.below(3) as u64),
            2 => Op::Risky(self.name()),
            3 => Op::Child(self.name()),
            4 => Op::Timer(10 * (1 + self.below(3) as u64)),
            5 => Op::Wait(self.name()),
            6 => Op::TryEvent,
            7 => Op::Effect(self.below(3) as u64),
            8 => Op::Draw,
            9 => Op::Join((0..1 + self.below(3)).map(|_| self.steps(depth - 1, 2)).collect()),
            10 | 11 => Op::Race((0..1 + self.below(3)).map(|_| self.steps(depth - 1, 2)).collect()),
            _ => Op::Repeat(1 + self.below(2) as u64, self.steps(depth - 1, 2)),
        }
    }
}

fn input(steps: &[Op]) -> String {
    serde_json::json!({ "steps": steps }).to_string()
}

/// What became of a program.
struct Recorded {
    arrivals: Vec<(EventKind, Timestamp)>,
    history: Vec<Event>,
}

/// Runs a program under random arrivals; `each` sees the history after each.
fn record(steps: &[Op], chance: &mut Chance, mut each: impl FnMut(&[Event])) -> Recorded {
    let mut execution = execution::<program>(Limits::default());
    let (mut arrivals, mut history, mut open): (Vec<_>, Vec<Event>, Vec<EventKind>) = Default::default();
    let mut next = Some(started::<program>(&input(steps), Vec::new()));
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
    Recorded { arrivals, history }
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
            EventKind::ChildStarted { command, .. } => EventKind::ChildCompleted { command, output: payload(value) },
            EventKind::CommandCancelled { command } => {
                open.retain(|kind| command_of(kind) != Some(command));
                continue;
            }
            _ => continue,
        };
    }
    if chance.below(60) == 0 {
        return EventKind::CancelRequested { reason: "enough".to_owned() };
    }
    EventKind::EventRaised { name: chance.name().to_string(), value: payload(chance.below(9) as u64) }
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
fn asked(steps: &[Op], arrivals: &[(EventKind, Timestamp)]) -> Vec<String> {
    let mut execution = execution::<program>(Limits::default());
    let mut asked = Vec::new();
    for (number, (kind, at)) in arrivals.iter().enumerate() {
        let kind = if number == 0 { started::<program>(&input(steps), Vec::new()) } else { kind.clone() };
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
fn replays(steps: &[Op], history: &[Event]) -> Result<(), String> {
    let mut execution = execution::<program>(Limits::default());
    let mut history = history.to_vec();
    history[0].kind = started::<program>(&input(steps), Vec::new());
    execution.replay(&history).map_err(|mismatch| mismatch.to_string())
}

#[test]
fn every_prefix_of_a_random_program_replays_to_the_same_commands() {
    let (mut events, mut ended) = (0, 0);
    for seed in 0..PROGRAMS {
        let mut chance = Chance::new(seed);
        let steps = chance.steps(2, 4);
        let recorded = record(&steps, &mut chance, |history| {
            replays(&steps, history).unwrap_or_else(|error| panic!("seed {seed}, {steps:?}: {error}"));
        });
        let first = asked(&steps, &recorded.arrivals);
        assert_eq!(first, asked(&steps, &recorded.arrivals), "seed {seed}");
        events += recorded.history.len();
        ended += usize::from(matches!(recorded.history.last().unwrap().kind, EventKind::Completed { .. }));
    }
    assert!(events > 5 * PROGRAMS as usize, "the programs do little: {events} events");
    assert!(ended > PROGRAMS as usize / 10, "few programs come to an end: {ended}");
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
        Op::Repeat(_, inner) if inside => return mutate(inner, chance),
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
            Op::TryEvent | Op::Draw => steps[at] = Op::Effect(7),
        },
    }
}

#[test]
fn a_change_of_code_that_changes_what_is_asked_for_is_a_mismatch_and_no_other_is() {
    let (mut noticed, mut harmless) = (0, 0);
    for seed in 1_000_000.. {
        let mut chance = Chance::new(seed);
        let steps = chance.steps(2, 4);
        let recorded = record(&steps, &mut chance, |_| {});
        let mut changed = steps.clone();
        mutate(&mut changed, &mut chance);
        let differs = asked(&steps, &recorded.arrivals) != asked(&changed, &recorded.arrivals);
        let replayed = replays(&changed, &recorded.history);
        assert_eq!(replayed.is_err(), differs, "seed {seed}\n{steps:?}\n{changed:?}\n{replayed:?}");
        noticed += usize::from(differs);
        harmless += usize::from(!differs);
        if noticed >= MUTANTS {
            break;
        }
    }
    assert!(harmless > 0, "some changes are of what was not reached");
}
