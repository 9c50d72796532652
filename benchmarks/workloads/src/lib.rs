//! The workloads W1 to W9, written once for every engine.
//!
//! An engine says how it starts an instance, raises an event and answers ([`Engine`]); what is run, how often, and what is
//! measured is the same for all. [`run`] makes a program of an engine: a subcommand for each workload, one line of JSON a
//! result. Activities return their input; payloads are a short JSON object of about 100 bytes ([`Note`]).

mod engine;
mod line;
mod machine;
mod note;
mod program;
mod progress;
mod w1_latency;
mod w2_throughput;
mod w3_fan_out;
mod w4_chain;
mod w5_timers;
mod w6_events;
mod w7_generations;
mod w8_waiting;
mod w9_kill;

pub use engine::{About, Engine, Job};
pub use line::{Figures, Line};
pub use machine::{Meter, RawFlushes, disk_bytes, load, millis, percentile, resident_bytes};
pub use note::{Note, ran};
pub use program::{Command, Measure, Workload, measure, run};
pub use progress::Progress;
pub use w2_throughput::run_many;
pub use w8_waiting::start_waiting;
pub use w9_kill::Half;

/// What goes wrong in a benchmark ends it, with what the engine said.
pub type Error = Box<dyn std::error::Error + Send + Sync>;

/// A result whose error ends the benchmark.
pub type Result<T = ()> = std::result::Result<T, Error>;
