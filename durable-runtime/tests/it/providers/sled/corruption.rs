//! Files that were damaged: the store does not open and says so, or hands out what was written and nothing else.

use std::collections::{BTreeMap, BTreeSet};
use std::fs;
use std::path::{Path, PathBuf};

use durable_runtime::SledProvider;
use durable_runtime::providers::{ErrorKind, Maintain, OpenError, Provider, ProviderError, TransactionOp};
use durable_runtime::{EventId, ExecutionId};

use super::{activities, everything, id, turns};
use crate::crash::Chance;
use crate::providers::watch::{block_on, within_five_seconds};

const TRIALS: u64 = 300;
const INSTANCES: u64 = 30;

fn size(instance: u64) -> usize {
    [10, 700, 3_000, 9_000][instance as usize % 4]
}

/// A store with some of everything, and much that is not in use any more.
async fn sound(folder: &Path) {
    let store = SledProvider::open(folder).unwrap();
    for number in 0..INSTANCES {
        store.atomic_batch(everything(number.into(), &format!("i{number}"), size(number))).await.unwrap();
        let gone = format!("gone {number}");
        store.atomic_batch(everything(u128::from(number) + 1_000, &gone, 2_000)).await.unwrap();
        let mut delete = everything(u128::from(number) + 2_000, &gone, 0);
        delete.ops = vec![TransactionOp::DeleteInstance { instance: id(&gone) }];
        store.atomic_batch(delete).await.unwrap();
    }
    store.close().await;
    // Opening writes a snapshot.
    SledProvider::open(folder).unwrap().close().await;
}

/// What became of a store.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
enum Outcome {
    Unaffected,
    /// It does not open, and says that it is damaged.
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
            assert!(matches!(error.kind(), ErrorKind::Corrupt | ErrorKind::Unavailable), "{case}: {error}");
            false
        }
    }
}

async fn look(store: &SledProvider, case: &str) -> Outcome {
    let checkup = store.doctor().await.unwrap();
    let mut all_right = checkup.is_sound();
    let leased = store.fetch_turns(turns()).await;
    all_right &= leased.is_ok();
    let leased = leased.unwrap_or_default().into_iter();
    let messages: BTreeMap<_, _> = leased.map(|turn| (turn.instance, turn.messages)).collect();
    let jobs = store.fetch_activities(activities()).await;
    all_right &= jobs.is_ok();
    let jobs = jobs.unwrap_or_default().into_iter();
    let jobs: BTreeMap<_, _> = jobs.map(|job| (job.instance.clone(), job.data)).collect();
    let mut known = BTreeSet::new();
    for number in 0..INSTANCES {
        let (instance, case) = (id(&format!("i{number}")), format!("{case}, i{number}"));
        let data = vec![b'x'; size(number)];
        let record = store.instance(&instance).await;
        let output = record.map(|record| record.map(|record| record.metadata["output"].to_vec()));
        let mut whole = right(output, &Some(data.clone()), &case);
        let history = store.history(&instance, ExecutionId::FIRST, EventId::FIRST, 10).await;
        let history = history.map(|events| events.into_iter().map(|event| event.data.to_vec()).collect::<Vec<_>>());
        whole &= right(history, &vec![data.clone()], &case);
        match messages.get(&instance) {
            Some(messages) => assert!(messages.len() == 1 && messages[0].data == data, "{case}: changed in silence"),
            None => whole = false,
        }
        match jobs.get(&instance) {
            Some(job) => assert!(*job == data, "{case}: changed in silence"),
            None => whole = false,
        }
        // What is not handed out is not just gone: somebody who looks finds out why.
        assert!(whole || !checkup.is_sound(), "{case}: nobody knows");
        all_right &= whole;
        known.insert(instance);
    }
    let strangers = messages.keys().chain(jobs.keys()).find(|instance| !known.contains(*instance));
    assert_eq!(strangers, None, "{case}: what was deleted is back");
    if all_right { Outcome::Unaffected } else { Outcome::Parked }
}

fn files(folder: &Path) -> Vec<PathBuf> {
    let entries = fs::read_dir(folder.join("sled")).unwrap().map(|entry| entry.unwrap().path());
    let mut files: Vec<_> = entries.filter(|path| path.is_file()).collect();
    files.sort();
    files
}

fn copy(from: &Path, to: &Path) {
    fs::create_dir_all(to.join("sled").join("blobs")).unwrap();
    fs::copy(from.join("durable.json"), to.join("durable.json")).unwrap();
    for file in files(from) {
        fs::copy(&file, to.join("sled").join(file.file_name().unwrap())).unwrap();
    }
}

/// Damages one file, most often the one with the keys, and says how.
fn damage(store: &Path, trial: u64, chance: &mut Chance) -> String {
    let files = files(store);
    let db = store.join("sled").join("db");
    let file = if chance.below(3) > 0 { &db } else { &files[chance.below(files.len() as u64) as usize] };
    let name = file.file_name().unwrap().to_str().unwrap().to_owned();
    let mut bytes = fs::read(file).unwrap();
    // Most of a file of sled is space that was never written.
    let used = bytes.iter().rposition(|byte| *byte != 0).map_or(bytes.len(), |last| last + 1);
    let at = chance.below(used.max(1) as u64) as usize;
    let how = match trial % 4 {
        0 if !bytes.is_empty() => {
            bytes[at] ^= 1 << chance.below(8);
            format!("bit flip at {at}")
        }
        1 => {
            let from = at / 4096 * 4096;
            let to = bytes.len().min(from + 4096);
            bytes[from..to].fill(0);
            format!("zeros at {from}")
        }
        3 if *file != db => {
            fs::remove_file(file).unwrap();
            return format!("{name}, removed");
        }
        _ => {
            bytes.truncate(at);
            format!("cut at {at}")
        }
    };
    fs::write(file, bytes).unwrap();
    format!("{name}, {how}")
}

#[test]
fn damage_is_named_and_nothing_changes_in_silence() {
    let folder = tempfile::tempdir().unwrap();
    let store = folder.path().join("sound");
    block_on(sound(&store));
    let mut outcomes = BTreeMap::<_, u64>::new();
    for trial in 0..TRIALS {
        let path = folder.path().join(format!("damaged {trial}"));
        copy(&store, &path);
        let how = damage(&path, trial, &mut Chance(trial));
        let case = format!("trial {trial}: {how}");
        let (of_thread, damaged) = (case.clone(), path.clone());
        let outcome = within_five_seconds(&case, move || async move { outcome(&damaged, &of_thread).await });
        *outcomes.entry((trial % 4, outcome)).or_default() += 1;
        fs::remove_dir_all(&path).unwrap();
    }
    println!("{outcomes:?}");
    assert!(outcomes.keys().any(|(_, outcome)| *outcome == Outcome::Refused), "{outcomes:?}");
}

async fn outcome(path: &Path, case: &str) -> Outcome {
    match SledProvider::open(path) {
        Ok(store) => {
            let outcome = look(&store, case).await;
            store.close().await;
            outcome
        }
        Err(OpenError::Corrupt { .. } | OpenError::OtherSettings { .. } | OpenError::Unwritable { .. }) => {
            Outcome::Refused
        }
        Err(other) => panic!("{case}: {other}"),
    }
}
