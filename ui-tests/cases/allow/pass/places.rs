#![allow(unused)]

use durable_runtime::prelude::*;

use std::time::Instant;

#[allow_nondeterminism(wall_clock, reason = "measured for a trace, and never decided upon")]
fn stopwatch() -> Instant {
    Instant::now()
}

#[allow_nondeterminism(environment, reason = "set once for the whole fleet, and never changed")]
fn region() -> Option<String> {
    read("REGION")
}

fn read(name: &str) -> Option<String> {
    std::env::var(name).ok()
}

#[deterministic]
#[allow_nondeterminism(wall_clock, reason = "only shown")]
fn shown() -> String {
    format!("{:?}", Instant::now())
}

#[allow_nondeterminism(wall_clock, reason = "only shown")]
#[deterministic]
fn shown_below() -> String {
    format!("{:?}", Instant::now())
}

#[orchestration]
#[allow_nondeterminism(process_id, reason = "only shown")]
async fn process(ctx: OrchestrationContext) -> u64 {
    #[allow_nondeterminism(wall_clock, reason = "only shown")]
    let start = Instant::now();
    let mut last = start;
    #[allow_nondeterminism(wall_clock, reason = "only shown")]
    {
        last = Instant::now();
    }
    #[allow_nondeterminism(DUR0101, reason = "only shown")]
    drop(Instant::now());
    #[allow_nondeterminism(printing, reason = "a demonstration")]
    println!("here");
    let number = match ctx.random() {
        #[allow_nondeterminism(random, reason = "a demonstration")]
        0 => rand::random(),
        other => other,
    };
    let closure = || {
        #[allow_nondeterminism(unsafe_code, environment, reason = "a demonstration")]
        let home = unsafe { std::env::var("HOME") };
    };
    let names = (stopwatch(), region(), shown(), shown_below(), std::process::id());
    number
}

fn main() {}
