//! Work in a process of its own, which prints lines of JSON.

use std::process::Stdio;
use std::time::Duration;

use durable_workloads::{Line, Result};
use tokio::process::Command;

/// How much of what a process says about its end is kept.
const REASON_CHARS_MAX: usize = 160;

/// Runs it, and reads the lines. After so long it is stopped.
///
/// # Errors
/// In a few words what went wrong: the process could not be run, took too long, or said that it failed.
pub(crate) async fn lines(command: &mut Command, patience: Duration) -> Result<Vec<Line>> {
    let output = command.stdin(Stdio::null()).stdout(Stdio::piped()).stderr(Stdio::piped()).kill_on_drop(true).output();
    let Ok(output) = tokio::time::timeout(patience, output).await else {
        return Err(format!("took longer than {} s", patience.as_secs()).into());
    };
    let output = output?;
    if !output.status.success() {
        return Err(reason(&String::from_utf8_lossy(&output.stderr)).into());
    }
    let text = String::from_utf8_lossy(&output.stdout);
    let lines = text.lines().filter(|line| line.starts_with('{')).map(serde_json::from_str);
    Ok(lines.collect::<std::result::Result<_, _>>()?)
}

/// The error in what a process wrote last: what stands behind `Error:`, or else the last line.
fn reason(text: &str) -> String {
    let mut lines = text.lines().map(str::trim).filter(|line| !line.is_empty());
    let error = lines.clone().find_map(|line| line.strip_prefix("Error: "));
    let reason = error.or_else(|| lines.next_back()).unwrap_or("said nothing");
    reason.trim_matches('"').chars().take(REASON_CHARS_MAX).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn of_much_that_is_said_the_error_counts() {
        let text = "warning: slow\nError: \"instance `a` failed: database is locked\"\n\nnote: a hint\n";
        assert_eq!(reason(text), "instance `a` failed: database is locked");
        assert_eq!(reason("thread panicked\nat a.rs\n"), "at a.rs");
        assert_eq!(reason(""), "said nothing");
        assert_eq!(reason(&"long ".repeat(100)).chars().count(), REASON_CHARS_MAX);
    }

    #[tokio::test]
    async fn a_process_that_fails_or_takes_too_long_says_so() {
        let run = async |script: &str, patience| {
            lines(Command::new("sh").args(["-c", script]), patience).await.map_err(|error| error.to_string())
        };
        let patience = Duration::from_secs(60);
        assert_eq!(run("echo working; echo 'Error: \"locked\"' >&2; exit 1", patience).await.unwrap_err(), "locked");
        assert_eq!(run("sleep 60", Duration::ZERO).await.unwrap_err(), "took longer than 0 s");
        assert!(run("echo no line", patience).await.unwrap().is_empty());
    }
}
