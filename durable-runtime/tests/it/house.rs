//! The borders of the house: what a room must not know, read from its source.

use std::fs;
use std::path::{Path, PathBuf};

/// All sources below a folder of the crate, tests aside, with the code that stands before their test module.
fn sources(folder: &str) -> Vec<(PathBuf, String)> {
    let mut found = Vec::new();
    collect(&Path::new(env!("CARGO_MANIFEST_DIR")).join(folder), &mut found);
    assert!(!found.is_empty(), "{folder} has no sources");
    found
}

fn collect(path: &Path, found: &mut Vec<(PathBuf, String)>) {
    if path.ends_with("tests") {
        return;
    }
    if path.is_dir() {
        for entry in fs::read_dir(path).unwrap() {
            collect(&entry.unwrap().path(), found);
        }
    } else if path.extension().is_some_and(|end| end == "rs") && !path.ends_with("tests.rs") {
        let text = fs::read_to_string(path).unwrap();
        found.push((path.to_owned(), text.split("#[cfg(test)]").next().unwrap_or_default().to_owned()));
    }
}

/// The lines of code below `folder` that name one of `forbidden`.
fn offences(folder: &str, forbidden: &[&str]) -> Vec<String> {
    let mut offences = Vec::new();
    for (path, text) in sources(folder) {
        for (number, line) in text.lines().enumerate() {
            let code = line.split("//").next().unwrap_or_default();
            if let Some(word) = forbidden.iter().find(|word| code.contains(**word)) {
                offences.push(format!("{}:{} names `{word}`", path.display(), number + 1));
            }
        }
    }
    offences
}

#[track_caller]
fn never(folder: &str, forbidden: &[&str]) {
    let offences = offences(folder, forbidden);
    assert!(offences.is_empty(), "{}", offences.join("\n"));
}

#[test]
fn the_core_does_not_wait_spawn_read_clocks_or_know_providers() {
    never("src/replay", &["tokio", "SystemTime", "Instant", ".await", "thread::spawn", "providers", "dispatch"]);
    never("src/history", &["tokio", "SystemTime", ".await", "dispatch"]);
}

#[test]
fn contexts_do_not_know_the_shell_or_the_stores() {
    never("src/context", &["dispatch::", "providers::", "tokio::spawn"]);
}

#[test]
fn providers_know_storage_and_queues_only() {
    never(
        "src/providers",
        &["crate::replay", "crate::context", "crate::history", "crate::message", "crate::metadata", "EventKind"],
    );
}

#[test]
fn only_the_shell_spawns() {
    for room in ["src/client", "src/context", "src/history", "src/replay"] {
        never(room, &["spawn(", "spawn_blocking(", "thread::Builder"]);
    }
}

#[test]
fn a_forbidden_word_would_be_found() {
    assert!(!offences("src/dispatch", &["spawn("]).is_empty());
}

/// The tests that the table of features names: `engine::caps::the_builder_has_the_last_word`.
fn tests_named_in_the_readme() -> Vec<String> {
    let readme = fs::read_to_string(Path::new(env!("CARGO_MANIFEST_DIR")).join("../README.md")).unwrap();
    let table = readme.split_once("\n## Features\n").unwrap().1.split("\n## ").next().unwrap_or_default();
    let last_cells = table.lines().filter_map(|line| line.trim_end_matches('|').rsplit('|').next());
    let names = last_cells.map(|cell| cell.trim().trim_matches('`').to_owned());
    names.filter(|name| name.contains("::")).collect()
}

#[test]
fn every_feature_of_the_readme_has_its_test() {
    let names = tests_named_in_the_readme();
    assert!(names.len() > 30, "only {} features", names.len());
    for name in names {
        let (module, test) = name.rsplit_once("::").unwrap();
        let folder = Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/it").join(module.replace("::", "/"));
        let text =
            fs::read_to_string(folder.with_extension("rs")).or_else(|_| fs::read_to_string(folder.join("mod.rs")));
        assert!(text.is_ok_and(|text| text.contains(&format!("fn {test}("))), "there is no test `{name}`");
    }
}

/// A test that sleeps is slow where nothing was to be waited for, and wrong where it was not long enough.
#[test]
fn no_test_sleeps() {
    let root = Path::new(env!("CARGO_MANIFEST_DIR"));
    let mut offences = Vec::new();
    for folder in ["tests", "src", "../durable-macros/src", "../examples/tests", "../ui-tests/tests", "../ui-tests/src"]
    {
        let mut files = Vec::new();
        all_files(&root.join(folder), &mut files);
        assert!(!files.is_empty(), "{folder} has no sources");
        for path in files {
            let text = fs::read_to_string(&path).unwrap();
            // Of a source, what stands in its test module.
            let is_source = !path.components().any(|part| part.as_os_str() == "tests") && !path.ends_with("tests.rs");
            let (before, tests) = match text.split_once("\nmod tests {") {
                Some((before, tests)) if is_source => (before, tests),
                None if is_source => continue,
                _ => ("", text.as_str()),
            };
            let begin = before.lines().count() + usize::from(is_source);
            for (number, line) in tests.lines().enumerate() {
                let sleeps = SLEEPS.iter().any(|word| line.split("//").next().unwrap_or_default().contains(word));
                // A process that is killed at some moment is not waited for.
                if sleeps && !line.contains("// the moment is chance") && !path.ends_with("house.rs") {
                    offences.push(format!("{}:{}: {}", path.display(), begin + number + 1, line.trim()));
                }
            }
        }
    }
    assert!(offences.is_empty(), "{}", offences.join("\n"));
}

const SLEEPS: [&str; 3] = ["sleep(", "park_timeout(", "sleep_ms("];

fn all_files(path: &Path, found: &mut Vec<PathBuf>) {
    if path.is_dir() {
        for entry in fs::read_dir(path).unwrap() {
            all_files(&entry.unwrap().path(), found);
        }
    } else if path.extension().is_some_and(|end| end == "rs") {
        found.push(path.to_owned());
    }
}
