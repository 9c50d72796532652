//! Runs workloads on the stores of this project and on peers, compares them, and writes `PERFORMANCE.md`.
//!
//! `durable-bench w2 --provider sled` runs a workload once and prints a line of JSON. `durable-bench compare --workload w2
//! --peers duroxide,restate --runs 5` runs it in turn on several engines. What the workloads are: `workloads/`.

mod all;
mod child;
mod commits;
mod compare;
mod compile;
mod growth;
mod ours;
mod queries;
mod report;
mod store;
mod work;

use std::path::PathBuf;

use clap::{Parser, Subcommand};
use durable_workloads::{Command, Line, Result};

use crate::commits::{Effort, Stores};
use crate::ours::{Ours, Settings};
use crate::store::Place;

#[derive(Parser)]
#[command(about = "Runs workloads on the stores of this project and on peers, and compares them")]
struct Arguments {
    #[command(subcommand)]
    what: What,
}

#[derive(Subcommand)]
enum What {
    #[command(flatten)]
    Workload(Command<Settings>),
    /// Runs a workload in turn on this project and on peers, each in a process of its own: a table, JSON, a chart
    Compare(compare::Arguments),
    /// Everything, one after another, and `PERFORMANCE.md` from it
    All(all::Arguments),
    /// Allocations and instructions of one turn
    Turn {
        /// Where `turn.json` is written
        #[arg(long, default_value = "target/bench")]
        out: PathBuf,
    },
    /// `PERFORMANCE.md`, from the results that are kept
    Report(report::Arguments),
    /// What grows with the length of a history, and with how many instances there are
    Growth(growth::Arguments),
    /// Commits of a turn each, by 1, 8, 64 and 256 at once, without a runtime
    P1 {
        #[command(flatten)]
        stores: Stores,
        /// How many committers, with commas between
        #[arg(long, value_delimiter = ',', default_value = "1,8,64,256")]
        count: Vec<usize>,
        /// Only for a moment: to see that it works
        #[arg(long)]
        quick: bool,
    },
    /// Opening a store with very many keys: time and memory
    Open {
        #[command(flatten)]
        stores: Stores,
        /// How many keys
        #[arg(long, default_value_t = 1_000_000)]
        count: usize,
        /// The store to be opened, as is done in a process of its own
        #[arg(long, hide = true)]
        at: Option<PathBuf>,
    },
    /// The disk after very many commits of which a tenth is left
    Space {
        #[command(flatten)]
        stores: Stores,
        /// How many commits
        #[arg(long, default_value_t = 1_000_000)]
        count: usize,
    },
    /// Pages of queries over very many instances
    Query {
        #[command(flatten)]
        place: Place,
        /// How many instances
        #[arg(long, default_value_t = 100_000)]
        count: usize,
    },
    /// What the attributes cost at compile time
    Compile {
        /// How many awaits each function has
        #[arg(long, default_value_t = 100)]
        awaits: usize,
        /// How many files are reached
        #[arg(long, default_value_t = 100)]
        files: usize,
    },
}

#[tokio::main]
async fn main() -> Result {
    match Arguments::parse().what {
        What::Workload(command) => durable_workloads::run::<Ours>(command).await,
        What::Compare(arguments) => compare::compare(&arguments).await,
        What::All(arguments) => all::all(&arguments).await,
        What::Turn { out } => all::turn(&out).await,
        What::Report(arguments) => report::report(&arguments),
        What::Growth(arguments) => growth::growth(&arguments).await,
        What::P1 { stores, count, quick } => {
            stores.commits(&count, if quick { Effort::QUICK } else { Effort::USUAL }).await
        }
        What::Open { stores, at: Some(folder), .. } => commits::open_at(stores.first()?, &folder).await,
        What::Open { stores, count, at: None } => stores.open(count).await,
        What::Space { stores, count } => stores.space(count).await,
        What::Query { place, count } => queries::queries(place, count).await,
        What::Compile { awaits, files } => compile::compile(awaits, files),
    }
}

#[expect(clippy::print_stdout, reason = "the result of the program")]
fn print(line: &Line) -> Result {
    println!("{}", serde_json::to_string(line)?);
    Ok(())
}
