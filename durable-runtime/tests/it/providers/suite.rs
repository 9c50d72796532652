//! The suite itself: it is whole, and every check in it can be found.

use std::collections::BTreeSet;
use std::fs;
use std::path::Path;

/// The checks as `theme::check`: those that are written, or those that the macro lists.
fn written() -> BTreeSet<String> {
    let mut found = BTreeSet::new();
    for entry in fs::read_dir(folder()).unwrap() {
        let path = entry.unwrap().path();
        let theme = path.file_stem().unwrap().to_str().unwrap().to_owned();
        for line in fs::read_to_string(&path).unwrap().lines() {
            let check = line.strip_prefix("pub async fn ").and_then(|rest| rest.split_once('('));
            if let Some((name, arguments)) = check
                && arguments.contains("Subject")
            {
                assert!(found.insert(format!("{theme}::{name}")));
            }
        }
    }
    found
}

fn listed() -> BTreeSet<String> {
    let (mut found, mut theme) = (BTreeSet::new(), None);
    for line in fs::read_to_string(folder().join("suite.rs")).unwrap().lines().map(str::trim) {
        let is_name = !line.is_empty() && line.chars().all(|letter| letter.is_ascii_alphanumeric() || letter == '_');
        match (line.strip_suffix(": ["), &theme) {
            (Some(name), _) => theme = Some(name.to_owned()),
            (None, Some(_)) if line == "]" => theme = None,
            (None, Some(theme)) if is_name => {
                assert!(found.insert(format!("{theme}::{line}")), "{line} is listed twice")
            }
            _ => {}
        }
    }
    found
}

fn folder() -> std::path::PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("src/testing/conformance")
}

#[test]
fn every_check_that_is_written_is_made() {
    let (written, listed) = (written(), listed());
    assert_eq!(written.difference(&listed).collect::<Vec<_>>(), Vec::<&String>::new(), "written, but not in the list");
    assert_eq!(listed.difference(&written).collect::<Vec<_>>(), Vec::<&String>::new(), "in the list, but not written");
    assert!(listed.len() >= 250, "only {} checks", listed.len());
}

#[test]
fn a_check_has_one_name() {
    let mut names = BTreeSet::new();
    for check in listed() {
        let name = check.split_once("::").unwrap().1.to_owned();
        assert!(names.insert(name), "{check} has the name of another check");
    }
}
