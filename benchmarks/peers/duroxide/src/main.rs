//! The workloads on duroxide and its SQLite store, in three ways: as it ships, tuned, and tuned with every commit on disk.

mod engine;
mod work;

use clap::Parser;
use durable_workloads::{Command, Result};

use crate::engine::{Duroxide, Settings};

#[derive(Parser)]
#[command(about = "Runs a workload on duroxide")]
struct Arguments {
    #[command(subcommand)]
    command: Command<Settings>,
}

#[tokio::main]
async fn main() -> Result {
    durable_workloads::run::<Duroxide>(Arguments::parse().command).await
}
