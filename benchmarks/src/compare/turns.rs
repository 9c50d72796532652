//! Turns: a workload of one engine in a process of its own.

use std::time::Duration;

use durable_workloads::{Line, Progress, Workload};
use tokio::process::Command;

use super::Arguments;
use super::contender::Contender;
use crate::child;

/// In each round, every contender has its turn; answers all lines in the order they came. One that fails says so in a
/// line, and the others go on.
pub(super) async fn take(workload: Workload, contenders: &[Contender], arguments: &Arguments) -> Vec<Line> {
    let progress = Progress::new(workload.name(), arguments.runs * contenders.len());
    let mut lines = Vec::new();
    for round in 1..=arguments.runs {
        for contender in contenders {
            progress.say(format!("{} round {round}: {}", workload.name(), contender.name));
            let patience = Duration::from_secs(arguments.patience);
            match child::lines(&mut command(workload, contender, arguments.quick), patience).await {
                Ok(more) => lines.extend(more),
                Err(error) => lines.push(Line::failed(&workload.name(), &contender.name, error.to_string())),
            }
            progress.step();
        }
    }
    lines
}

fn command(workload: Workload, contender: &Contender, quick: bool) -> Command {
    let mut command = Command::new(&contender.program);
    command.arg(workload.name().to_lowercase()).args(&contender.arguments);
    let count: Vec<String> = contender.count(workload, quick).iter().map(usize::to_string).collect();
    if !count.is_empty() {
        command.arg("--count").arg(count.join(","));
    }
    // Engines that log while they run would do more than they must.
    command.env("RUST_LOG", "error");
    command
}
