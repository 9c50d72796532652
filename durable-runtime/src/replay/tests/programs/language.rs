//! The language of the random programs: steps, the orchestration that walks them, and the chance that writes them.

use std::cell::RefCell;

use crate::context::{LocalBoxDurable, OrchestrationContext, Saga, join_all, race};
use crate::prelude::*;

#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub(super) enum Op {
    Call(char, u64),
    Risky(char),
    Child(char),
    Timer(u64),
    Wait(char),
    TryEvent,
    Effect(u64),
    Draw,
    OnCancel(Vec<Op>),
    Undoable(Vec<Op>),
    Undo,
    Keep,
    Held(Vec<Op>),
    UntilCancelled,
    AcceptCancel,
    Fail,
    Join(Vec<Vec<Op>>),
    Race(Vec<Vec<Op>>),
    Repeat(u64, Vec<Op>),
    Next(Vec<Op>),
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
pub(super) async fn program(ctx: OrchestrationContext, steps: Vec<Op>) -> Result<Vec<String>, String> {
    let walked = Walked { log: RefCell::new(Vec::new()), saga: ctx.saga() };
    walk(&ctx, &steps, &walked).await;
    let log = walked.log.into_inner();
    if log.iter().any(|said| said == "failed") { Err(log.join(" ")) } else { Ok(log) }
}

struct Walked {
    log: RefCell<Vec<String>>,
    saga: Saga,
}

fn walk<'a>(ctx: &'a OrchestrationContext, steps: &'a [Op], walked: &'a Walked) -> LocalBoxDurable<'a, ()> {
    Box::pin(walk_in_turn(ctx, steps, walked))
}

/// The same for a cleanup, which outlives what has registered it.
#[deterministic]
async fn walk_alone(ctx: OrchestrationContext, steps: Vec<Op>) {
    let walked = Walked { log: RefCell::new(Vec::new()), saga: ctx.saga() };
    walk(&ctx, &steps, &walked).await;
}

#[deterministic]
async fn walk_in_turn(ctx: &OrchestrationContext, steps: &[Op], walked: &Walked) {
    let log = &walked.log;
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
            Op::OnCancel(cleanup) => {
                ctx.on_cancel(walk_alone(*ctx, cleanup.clone()));
                "to be cleaned up".to_owned()
            }
            Op::Undoable(undo) => {
                walked.saga.undo_with(walk_alone(*ctx, undo.clone()));
                "to be undone".to_owned()
            }
            Op::Undo => {
                walked.saga.undo().await;
                "undone".to_owned()
            }
            Op::Keep => {
                walked.saga.keep();
                "kept".to_owned()
            }
            Op::Held(inner) => {
                let cancel = ctx.cancellation();
                walk(ctx, inner, walked).await;
                format!("{:?}", cancel.reason())
            }
            Op::UntilCancelled => {
                let cancel = ctx.cancellation();
                select! {
                    () = cancel.requested() => "cancelled".to_owned(),
                    () = ctx.timer(Duration::from_millis(20)) => "in time".to_owned(),
                }
            }
            Op::AcceptCancel if ctx.cancelled() => ctx.cancellation().accept().await,
            Op::AcceptCancel => "not cancelled".to_owned(),
            Op::Fail => "failed".to_owned(),
            Op::Join(branches) => {
                join_all(branches.iter().map(|branch| walk(ctx, branch, walked))).await;
                "joined".to_owned()
            }
            Op::Race(branches) => {
                race(branches.iter().map(|branch| walk(ctx, branch, walked))).await;
                "raced".to_owned()
            }
            Op::Repeat(times, inner) => {
                for _ in 0..*times {
                    walk(ctx, inner, walked).await;
                }
                "repeated".to_owned()
            }
            Op::Next(steps) => program(ctx, steps.clone()).continue_as_new().await,
        };
        log.borrow_mut().push(said);
    }
}

/// Small and well spread, the same on every machine.
pub(super) struct Chance(u64);

impl Chance {
    pub(super) fn new(seed: u64) -> Self {
        Self((seed + 1).wrapping_mul(0x9e37_79b9_7f4a_7c15))
    }

    pub(super) fn below(&mut self, bound: usize) -> usize {
        self.0 ^= self.0 << 13;
        self.0 ^= self.0 >> 7;
        self.0 ^= self.0 << 17;
        (self.0 >> 11) as usize % bound
    }

    pub(super) fn name(&mut self) -> char {
        ['a', 'b', 'c', 'd', 'e'][self.below(5)]
    }

    pub(super) fn steps(&mut self, depth: usize, most: usize) -> Vec<Op> {
        (0..1 + self.below(most)).map(|_| self.step(depth)).collect()
    }

    pub(super) fn step(&mut self, depth: usize) -> Op {
        match self.below(if depth == 0 { 14 } else { 23 }) {
            0 | 1 => Op::Call(self.name(), self.below(3) as u64),
            2 => Op::Risky(self.name()),
            3 => Op::Child(self.name()),
            4 => Op::Timer(10 * (1 + self.below(3) as u64)),
            5 => Op::Wait(self.name()),
            6 => Op::TryEvent,
            7 => Op::Effect(self.below(3) as u64),
            8 => Op::Draw,
            9 => Op::Undo,
            10 => Op::Keep,
            11 => Op::UntilCancelled,
            12 => Op::AcceptCancel,
            13 => Op::Fail,
            14 => Op::OnCancel(self.steps(depth - 1, 2)),
            15 => Op::Undoable(self.steps(depth - 1, 2)),
            16 => Op::Held(self.steps(depth - 1, 3)),
            17 | 18 => Op::Join((0..1 + self.below(3)).map(|_| self.steps(depth - 1, 2)).collect()),
            19 | 20 => Op::Race((0..1 + self.below(3)).map(|_| self.steps(depth - 1, 2)).collect()),
            21 => Op::Next(self.steps(depth - 1, 3)),
            _ => Op::Repeat(1 + self.below(2) as u64, self.steps(depth - 1, 2)),
        }
    }
}
