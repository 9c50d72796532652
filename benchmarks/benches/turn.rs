//! What one turn costs, in figures that do not depend on the mood of the machine: allocations, and instructions if valgrind is
//! installed. Prints a line of JSON. `cargo bench -p durable-bench --bench turn`.
//!
//! A turn here is a step of a chain in memory: a message in, the orchestration polled, a transaction out, an activity run. What
//! starts and ends is taken away by running so many turns and twice as many.

#![allow(clippy::unwrap_used, clippy::print_stdout, missing_docs, reason = "a benchmark")]

use std::alloc::System;
use std::process::Command;
use std::time::Duration;

use durable_runtime::prelude::*;
use durable_runtime::providers::MemoryProvider;
use durable_workloads::{About, Figures, Line, Note};
use serde_json::json;
use stats_alloc::{INSTRUMENTED_SYSTEM, Region, StatsAlloc};

#[global_allocator]
static ALLOCATIONS: &StatsAlloc<System> = &INSTRUMENTED_SYSTEM;

/// How many turns; then twice as many.
const TURNS: usize = 1_000;
/// Said to the process that valgrind runs.
const ONLY: &str = "DURABLE_BENCH_TURNS";

#[activity]
async fn echo(note: Note) -> Note {
    note
}

#[orchestration]
async fn steps(ctx: OrchestrationContext, count: usize, note: Note) -> Result<Note, ActivityError> {
    let mut note = note;
    for _ in 0..count {
        note = echo(&ctx, note).await?;
    }
    Ok(note)
}

fn main() {
    if let Some(turns) = std::env::var(ONLY).ok().and_then(|turns| turns.parse().ok()) {
        run(turns);
        return;
    }
    let (few, many) = (counted(TURNS), counted(2 * TURNS));
    let per_turn = |few: f64, many: f64| (many - few) / TURNS as f64;
    let mut figures = Figures::new();
    figures.insert("allocations_per_turn".to_owned(), per_turn(few.0, many.0));
    figures.insert("allocated_bytes_per_turn".to_owned(), per_turn(few.1, many.1));
    let instructions = instructions(TURNS).zip(instructions(2 * TURNS));
    let counted_by = if let Some((few, many)) = instructions {
        figures.insert("instructions_per_turn".to_owned(), per_turn(few, many));
        "callgrind"
    } else {
        "not counted: valgrind is not installed"
    };
    let about = About {
        engine: "durable-runtime memory".to_owned(),
        version: env!("CARGO_PKG_VERSION").to_owned(),
        settings: json!({ "store": "memory", "shards": 1, "threads_for_activities": 1 }),
    };
    let options = json!({ "turns": [TURNS, 2 * TURNS], "instructions": counted_by });
    let line = Line::new("turn", about, options, Duration::ZERO, figures);
    println!("{}", serde_json::to_string(&line).unwrap());
}

/// Allocations and allocated bytes of so many turns, with start and end.
fn counted(turns: usize) -> (f64, f64) {
    let region = Region::new(ALLOCATIONS);
    run(turns);
    let stats = region.change();
    let allocations = stats.allocations + stats.reallocations;
    (allocations as f64, stats.bytes_allocated as f64)
}

fn run(turns: usize) {
    let tokio = tokio::runtime::Builder::new_current_thread().enable_all().build().unwrap();
    tokio.block_on(async {
        let runtime = Runtime::builder(MemoryProvider::new()).shards(1).start().await.unwrap();
        let handle = steps(&runtime.client(), turns, Note::new(1)).start().await.unwrap();
        handle.result().await.unwrap();
        runtime.shutdown(Duration::from_secs(5)).await;
    });
}

/// The instructions of so many turns, with start and end, as callgrind counts them.
fn instructions(turns: usize) -> Option<f64> {
    let folder = tempfile::tempdir().unwrap();
    let out = folder.path().join("callgrind.out");
    let output = Command::new("valgrind")
        .args(["--tool=callgrind", &format!("--callgrind-out-file={}", out.display())])
        .arg(std::env::current_exe().unwrap())
        .env(ONLY, turns.to_string())
        .output()
        .ok()
        .filter(|output| output.status.success())?;
    let said = String::from_utf8_lossy(&output.stderr);
    let refs = said.lines().find_map(|line| line.split_once("Collected :"))?.1;
    refs.trim().parse().ok()
}
