//! Histories that earlier builds have written, in `tests/stored/`: every later build must read them, write them the same, and go
//! along with them.
//!
//! A file is never edited: its name ends with a hash of what is in it. A new scenario is recorded by running the tests with
//! `DURABLE_RECORD=1`, which writes the files that are missing and touches no other. Where a build is to write something else
//! than before, the scenario gets a new name: the old file stays, since stores have what it has.

mod given_up;
mod programs;
mod scenarios;

use std::collections::{BTreeMap, BTreeSet};
use std::fs;
use std::path::PathBuf;

use durable_runtime::history::{EventKind, validate};
use durable_runtime::testing::{RecordedHistory, Replayer};
use serde_json::Value;

/// Every kind of event there is.
const KINDS: &[&str] = &[
    "started",
    "activity_completed",
    "activity_failed",
    "timer_fired",
    "event_raised",
    "child_completed",
    "child_failed",
    "cancel_requested",
    "deadline_reached",
    "suspended",
    "resumed",
    "activity_scheduled",
    "timer_set",
    "event_awaited",
    "child_started",
    "side_effect_recorded",
    "kv_read",
    "patched",
    "command_cancelled",
    "completed",
    "failed",
    "cancelled",
    "terminated",
    "poisoned",
    "continued_as_new",
];

fn folder() -> PathBuf {
    PathBuf::from(env!("CARGO_MANIFEST_DIR")).join("tests/stored")
}

/// All stored histories by the name of their file, without the hash.
fn stored() -> BTreeMap<String, String> {
    let files = fs::read_dir(folder()).unwrap().map(|entry| entry.unwrap().path());
    let named = files.map(|path| {
        let name = path.file_stem().unwrap().to_str().unwrap().to_owned();
        let text = fs::read_to_string(&path).unwrap();
        let (scenario, hash) = name.rsplit_once('-').unwrap();
        assert_eq!(hash, hash_of(&text), "{name} was edited: stored histories stay as they were written");
        (scenario.to_owned(), text)
    });
    named.collect()
}

/// FNV-1a, 32 bits: enough to notice an edit.
fn hash_of(text: &str) -> String {
    let hash = text.bytes().fold(0x811c_9dc5_u32, |hash, byte| (hash ^ u32::from(byte)).wrapping_mul(0x0100_0193));
    format!("{hash:08x}")
}

#[test]
fn what_earlier_builds_wrote_is_read_and_replayed() {
    let replayer = Replayer::new().unwrap();
    let stored = stored();
    assert!(stored.len() >= 60, "only {} stored histories", stored.len());
    for (name, text) in &stored {
        let recorded: RecordedHistory = serde_json::from_str(text).unwrap_or_else(|error| panic!("{name}: {error}"));
        validate(&recorded.events).unwrap_or_else(|error| panic!("{name}: {error}"));
        let replayed = replayer.check(&recorded).unwrap_or_else(|error| panic!("{name}: {error}"));
        assert_eq!(replayed.events, recorded.events.len() as u64, "{name}");
        let (before, now): (Value, Value) =
            (serde_json::from_str(text).unwrap(), serde_json::to_value(&recorded).unwrap());
        assert_eq!(before, now, "{name} would be written otherwise today");
    }
}

#[test]
fn every_kind_of_event_is_among_them() {
    let histories = stored().into_values().map(|text| serde_json::from_str::<RecordedHistory>(&text).unwrap());
    let kinds: BTreeSet<&str> =
        histories.flat_map(|history| history.events).map(|event| event.kind.name()).collect::<BTreeSet<_>>();
    let missing: Vec<_> = KINDS.iter().filter(|kind| !kinds.contains(*kind)).collect();
    let unlisted: Vec<_> = kinds.iter().filter(|kind| !KINDS.contains(kind)).collect();
    assert!(missing.is_empty() && unlisted.is_empty(), "missing {missing:?}, not in the list {unlisted:?}");
}

#[tokio::test(flavor = "current_thread")]
async fn what_is_recorded_today_is_what_is_stored() {
    let (recorded, stored) = (scenarios::all().await, stored());
    for (name, history) in &recorded {
        match stored.get(name) {
            Some(text) => same(name, history, &serde_json::from_str(text).unwrap()),
            None if std::env::var_os("DURABLE_RECORD").is_some() => {
                let text = format!("{}\n", serde_json::to_string_pretty(history).unwrap());
                fs::write(folder().join(format!("{name}-{}.json", hash_of(&text))), text).unwrap();
            }
            None => panic!("`{name}` is not stored; record it with DURABLE_RECORD=1"),
        }
    }
}

/// Lines of code and fingerprints may differ; nothing else.
fn same(name: &str, today: &RecordedHistory, stored: &RecordedHistory) {
    let text = |history: &RecordedHistory| durable_runtime::history::to_text(&history.events);
    assert_eq!(text(today), text(stored), "{name}");
    let started = |history: &RecordedHistory| match &history.events[0].kind {
        EventKind::Started(started) => (started.name.clone(), started.version.clone(), started.parent.clone()),
        other => panic!("{name} begins with {other:?}"),
    };
    assert_eq!(started(today), started(stored), "{name}");
}
