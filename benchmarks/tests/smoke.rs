//! The benchmarks in short: they run, they say what they ran, and their figures are there. Nothing is said about times.

#![allow(clippy::unwrap_used, clippy::panic, clippy::indexing_slicing, reason = "a test")]

use std::path::Path;
use std::process::Command;

use durable_workloads::Line;

const ON_DISK: [&str; 3] = ["sled", "fs", "sqlite"];

/// Runs the program and reads the lines it prints.
fn bench(arguments: &[&str]) -> Vec<Line> {
    let output = Command::new(env!("CARGO_BIN_EXE_durable-bench")).args(arguments).output().unwrap();
    assert!(output.status.success(), "{arguments:?}: {}", String::from_utf8_lossy(&output.stderr));
    String::from_utf8(output.stdout).unwrap().lines().map(|line| serde_json::from_str(line).unwrap()).collect()
}

fn names(line: &Line) -> Vec<&str> {
    line.figures.keys().map(String::as_str).collect()
}

#[test]
fn latency_is_measured_on_every_store() {
    for provider in ON_DISK.into_iter().chain(["memory"]) {
        let lines = bench(&["w1", "--count", "5", "--provider", provider]);
        assert_eq!(lines.len(), 1);
        assert_eq!(names(&lines[0]), ["p50_in_raw_flushes", "p50_ms", "p99_ms"]);
        assert_eq!((lines[0].workload.as_str(), lines[0].options["count"].as_u64()), ("W1", Some(5)));
        assert!(lines[0].figures.values().all(|figure| *figure > 0.0), "{:?}", lines[0].figures);
    }
}

#[test]
fn throughput_is_measured_on_every_store() {
    for provider in ON_DISK {
        let lines = bench(&["w2", "--count", "30", "--in-flight", "8", "--provider", provider]);
        let expected =
            ["activities_per_s", "cpu_ms_per_orchestration", "disk_bytes_per_instance", "orchestrations_per_s"];
        assert_eq!(names(&lines[0]), expected);
        assert!(lines[0].figures["disk_bytes_per_instance"] > 0.0);
    }
}

#[test]
fn a_chain_is_measured_at_each_length() {
    let lines = bench(&["w4", "--count", "5,20"]);
    let parts: Vec<&str> = lines.iter().map(|line| line.part.as_str()).collect();
    assert_eq!(parts, ["5 activities", "20 activities"]);
}

#[test]
fn a_fan_out_has_two_parts() {
    let lines = bench(&["w3", "--count", "20"]);
    let parts: Vec<&str> = lines.iter().map(|line| line.part.as_str()).collect();
    assert_eq!(parts, ["1 x 20 activities", "10 x 2 activities"]);
}

#[test]
fn events_generations_and_waiting_instances_are_measured() {
    assert!(bench(&["w6", "--count", "20"])[0].figures["events_per_s"] > 0.0);
    assert!(bench(&["w7", "--count", "20"])[0].figures["ms_per_generation"] > 0.0);
    let waiting = bench(&["w8", "--count", "20"]);
    assert!(waiting[0].figures["restart_first_progress_ms"] > 0.0);
    assert!(waiting[0].figures["disk_bytes_each"] > 0.0);
}

#[test]
fn a_killed_engine_loses_nothing_and_ends_nothing_twice() {
    for provider in ON_DISK {
        let line = bench(&["w9", "--count", "60", "--in-flight", "20", "--provider", provider]).remove(0);
        assert!(line.options["ended_before_the_kill"].as_u64().unwrap() >= 30, "{}", line.options);
        assert_eq!((line.figures["lost"], line.figures["doubled_completions"]), (0.0, 0.0), "{provider}");
        assert_eq!(line.options["completions_counted"], line.options["in_flight_at_the_kill"]);
    }
}

#[test]
fn a_comparison_leaves_json_and_a_chart() {
    let folder = tempfile::tempdir().unwrap();
    let out = folder.path().to_str().unwrap();
    let output = Command::new(env!("CARGO_BIN_EXE_durable-bench"))
        .args(["compare", "--workload", "w7", "--provider", "fs,memory", "--runs", "2", "--out", out])
        .output()
        .unwrap();
    assert!(output.status.success(), "{}", String::from_utf8_lossy(&output.stderr));
    let table = String::from_utf8(output.stdout).unwrap();
    for word in ["durable-runtime fs", "durable-runtime memory", "ms_per_generation", "raw append and fdatasync"] {
        assert!(table.contains(word), "no `{word}` in\n{table}");
    }
    let json = read(&folder.path().join("w7.json"));
    let lines: Vec<Line> = serde_json::from_value(json["lines"].clone()).unwrap();
    let turns: Vec<&str> = lines.iter().map(|line| line.engine.as_str()).collect();
    assert_eq!(turns, ["durable-runtime fs", "durable-runtime memory"].repeat(2));
    assert!(std::fs::read_to_string(folder.path().join("w7.svg")).unwrap().contains("</svg>"));
}

fn read(path: &Path) -> serde_json::Value {
    serde_json::from_slice(&std::fs::read(path).unwrap()).unwrap()
}

#[test]
fn what_grows_becomes_a_page() {
    let folder = tempfile::tempdir().unwrap();
    let (results, page) = (folder.path().to_str().unwrap(), folder.path().join("page.md"));
    let project = Path::new(env!("CARGO_MANIFEST_DIR")).parent().unwrap();
    let run = |arguments: &[&str]| {
        let mut program = Command::new(env!("CARGO_BIN_EXE_durable-bench"));
        let output = program.current_dir(project).args(arguments).output().unwrap();
        assert!(output.status.success(), "{arguments:?}: {}", String::from_utf8_lossy(&output.stderr));
    };
    run(&["growth", "--what", "steps,replay", "--size", "10,40", "--provider", "fs", "--out", results]);
    for arguments in
        [&["p1", "--quick", "--count", "1,2"][..], &["open", "--count", "500"], &["space", "--count", "500"]]
    {
        run(&[arguments, &["--provider", "fs,sqlite", "--out", results]].concat());
    }
    run(&["report", "--results", results, "--page", page.to_str().unwrap()]);
    let page = std::fs::read_to_string(page).unwrap();
    for words in ["## Growth: steps", "10 events", "40 events", "## Growth: cold replay"] {
        assert!(page.contains(words), "no `{words}` in\n{page}");
    }
    for words in ["## P1: commits", "2 committers", "## Opening", "500 keys", "## Space", "## What limits us now"] {
        assert!(page.contains(words), "no `{words}` in\n{page}");
    }
}
