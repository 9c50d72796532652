//! Turns: a workload of one engine in a process of its own.

use std::process::{Output, Stdio};
use std::time::Duration;

use durable_workloads::{Line, Progress, Result, Workload};
use tokio::process::Command;

use super::Arguments;
use super::contender::Contender;

/// In each round, every contender has its turn; answers all lines in the order they came.
pub(super) async fn take(workload: Workload, contenders: &[Contender], arguments: &Arguments) -> Result<Vec<Line>> {
    let progress = Progress::new(workload.name(), arguments.runs * contenders.len());
    let mut lines = Vec::new();
    for round in 1..=arguments.runs {
        for contender in contenders {
            progress.say(format!("{} round {round}: {}", workload.name(), contender.name));
            lines.extend(turn(workload, contender, arguments).await?);
            progress.step();
        }
    }
    Ok(lines)
}

async fn turn(workload: Workload, contender: &Contender, arguments: &Arguments) -> Result<Vec<Line>> {
    let mut command = Command::new(&contender.program);
    command.arg(workload.name().to_lowercase()).args(&contender.arguments);
    let count: Vec<String> = contender.count(workload).iter().map(usize::to_string).collect();
    if !count.is_empty() {
        command.arg("--count").arg(count.join(","));
    }
    // Engines that log while they run would do more than they must.
    command.env("RUST_LOG", "error");
    let output = command.stdin(Stdio::null()).stdout(Stdio::piped()).stderr(Stdio::piped()).kill_on_drop(true).output();
    let Ok(output) = tokio::time::timeout(Duration::from_secs(arguments.patience), output).await else {
        return Err(format!("{} took longer than {} s for {workload:?}", contender.name, arguments.patience).into());
    };
    read(&output?).map_err(|error| format!("{} failed in {workload:?}: {error}", contender.name).into())
}

fn read(output: &Output) -> Result<Vec<Line>> {
    if !output.status.success() {
        return Err(String::from_utf8_lossy(&output.stderr).into_owned().into());
    }
    let lines = String::from_utf8_lossy(&output.stdout);
    Ok(lines
        .lines()
        .filter(|line| line.starts_with('{'))
        .map(serde_json::from_str)
        .collect::<std::result::Result<_, _>>()?)
}
