//! Files that were damaged: the store says which, or hands out what was written and nothing else.

use std::collections::{BTreeMap, BTreeSet};
use std::fs;
use std::path::Path;

use durable_runtime::providers::{ErrorKind, OpenError, Provider, ProviderError, TransactionOp};
use durable_runtime::{EventId, ExecutionId, FsOptions, FsProvider};

use super::{activities, append, entries, everything, id, journal, keep, options, turns};
use crate::crash::Chance;
use crate::providers::watch::{block_on, within_five_seconds};

const TRIALS: u64 = 300;
const INSTANCES: u64 = 30;

fn small() -> FsOptions {
    options().snapshot_after(150_000).readable_histories(false)
}

fn size(instance: u64) -> usize {
    [10, 700, 3_000, 9_000][instance as usize % 4]
}

/// A store with some of everything: several segments, some of them behind a snapshot, and values that are not in use.
async fn sound(folder: &Path) {
    let store = small().open(folder).unwrap();
    let mut commits = 1..;
    let mut commit = || commits.next().unwrap();
    for number in 0..INSTANCES {
        let (name, gone) = (format!("i{number}"), format!("gone {number}"));
        keep(&store, commit(), everything(&name, size(number))).await;
        keep(&store, commit(), everything(&gone, 2_000)).await;
        keep(&store, commit(), vec![append(&name, 1, 2, &["second"])]).await;
        keep(&store, commit(), vec![TransactionOp::DeleteInstance { instance: id(&gone) }]).await;
    }
    store.close().await;
    assert!(journal(folder, "segment-").len() >= 4 && journal(folder, "snapshot-").len() == 1);
}

/// What became of a store.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
enum Outcome {
    /// Nothing that is in use was hit.
    Unaffected,
    /// It does not open, and says which file is damaged.
    Refused,
    /// It opens, and something that was asked for is damaged, which is said, or not handed out.
    Parked,
}

/// An answer that must be right, or say that it is damaged.
fn right<T: PartialEq + std::fmt::Debug>(found: Result<T, ProviderError>, expected: &T, case: &str) -> bool {
    match found {
        Ok(found) => {
            assert!(found == *expected, "{case}: changed in silence");
            true
        }
        Err(error) => {
            assert_eq!(error.kind(), ErrorKind::Corrupt, "{case}: {error}");
            assert!(error.to_string().contains("damaged"), "{case}: {error}");
            false
        }
    }
}

async fn look(store: &FsProvider, case: &str) -> Outcome {
    let mut all_right = true;
    let leased = store.fetch_turns(turns()).await.unwrap();
    let messages: BTreeMap<_, _> = leased.into_iter().map(|turn| (turn.instance, turn.messages)).collect();
    let jobs = store.fetch_activities(activities()).await.unwrap();
    let jobs: BTreeMap<_, _> = jobs.into_iter().map(|job| (job.instance.clone(), job.data)).collect();
    let mut known = BTreeSet::new();
    for number in 0..INSTANCES {
        let (instance, case) = (id(&format!("i{number}")), format!("{case}, i{number}"));
        let data = vec![b'x'; size(number)];
        let record = store.instance(&instance).await;
        let output = record.map(|record| record.map(|record| record.metadata["output"].to_vec()));
        all_right &= right(output, &Some(data.clone()), &case);
        let history = store.history(&instance, ExecutionId::FIRST, EventId::FIRST, 10).await;
        let history = history.map(|events| events.into_iter().map(|event| event.data.to_vec()).collect::<Vec<_>>());
        all_right &= right(history, &vec![data.clone(), b"second".to_vec()], &case);
        // A turn comes with all of its messages, or not at all.
        match messages.get(&instance) {
            Some(messages) => assert!(messages.len() == 1 && messages[0].data == data, "{case}: changed in silence"),
            None => all_right = false,
        }
        match jobs.get(&instance) {
            Some(job) => assert!(*job == data, "{case}: changed in silence"),
            None => all_right = false,
        }
        known.insert(instance);
    }
    let strangers = messages.keys().chain(jobs.keys()).find(|instance| !known.contains(*instance));
    assert_eq!(strangers, None, "{case}: what was deleted is back");
    if all_right { Outcome::Unaffected } else { Outcome::Parked }
}

fn copy(from: &Path, to: &Path) {
    fs::create_dir_all(to.join("journal")).unwrap();
    fs::copy(from.join("durable.json"), to.join("durable.json")).unwrap();
    for file in entries(&from.join("journal")) {
        fs::copy(&file, to.join("journal").join(file.file_name().unwrap())).unwrap();
    }
}

/// Damages one file, and says how.
fn damage(store: &Path, trial: u64, chance: &mut Chance) -> (String, String) {
    let files = entries(&store.join("journal"));
    let file = &files[chance.below(files.len() as u64) as usize];
    let name = file.file_name().unwrap().to_str().unwrap().to_owned();
    let mut bytes = fs::read(file).unwrap();
    let at = chance.below(bytes.len() as u64) as usize;
    let how = match trial % 4 {
        0 => {
            bytes[at] ^= 1 << chance.below(8);
            format!("bit flip at {at}")
        }
        1 => {
            let from = at / 4096 * 4096;
            let to = bytes.len().min(from + 4096);
            bytes[from..to].fill(0);
            format!("zeros at {from}")
        }
        2 => {
            bytes.truncate(at);
            format!("cut at {at}")
        }
        _ => {
            fs::remove_file(file).unwrap();
            return (name, "removed".to_owned());
        }
    };
    fs::write(file, bytes).unwrap();
    (name, how)
}

#[test]
fn damage_is_named_and_nothing_changes_in_silence() {
    let folder = tempfile::tempdir().unwrap();
    let store = folder.path().join("sound");
    block_on(sound(&store));
    let mut outcomes = BTreeMap::<_, u64>::new();
    for trial in 0..TRIALS {
        let path = folder.path().join("damaged");
        copy(&store, &path);
        let (file, how) = damage(&path, trial, &mut Chance(trial));
        let case = format!("trial {trial}: {file}, {how}");
        let (of_thread, damaged) = (case.clone(), path.clone());
        let outcome = within_five_seconds(&case, move || async move { outcome(&damaged, &of_thread).await });
        *outcomes.entry((trial % 4, outcome)).or_default() += 1;
        fs::remove_dir_all(&path).unwrap();
    }
    println!("{outcomes:?}");
    assert!(outcomes.keys().any(|(_, outcome)| *outcome == Outcome::Parked), "{outcomes:?}");
}

async fn outcome(path: &Path, case: &str) -> Outcome {
    match small().open(path) {
        Ok(store) => {
            let outcome = look(&store, case).await;
            store.close().await;
            outcome
        }
        Err(OpenError::Corrupt { message, .. }) => {
            let named = ["segment-", "snapshot-", "manifest", "a record of the store's own"]
                .iter()
                .any(|file| message.contains(file));
            assert!(named, "{case}: {message}");
            Outcome::Refused
        }
        Err(other) => panic!("{case}: {other}"),
    }
}
