//! The workloads on Restate as it ships: one node of its server, and handlers on its Rust SDK in this process.

mod engine;
mod handlers;
mod server;

use clap::Parser;
use durable_workloads::{Command, Result};

use crate::engine::{Restate, Settings};

#[derive(Parser)]
#[command(about = "Runs a workload on Restate")]
struct Arguments {
    #[command(subcommand)]
    command: Command<Settings>,
}

#[tokio::main]
async fn main() -> Result {
    durable_workloads::run::<Restate>(Arguments::parse().command).await
}
